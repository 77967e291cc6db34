const TIMEOUT_MS = 2000;

/** @returns a check whether `url` is answered with a 2xx, on each of `times` new connections */
export function answers(url, times = 1) {
  return async () => {
    for (let i = 0; i < times; i++) {
      const answer = await fetch(url, {
        headers: { connection: 'close' },
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await answer.arrayBuffer();
      if (!answer.ok) return false;
    }
    return true;
  };
}
