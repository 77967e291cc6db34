/** How many bytes are worked on in one turn of the event loop. A single value may have more. */
const MAX_BYTES = 256 * 1024;

/**
 * Decides when a worker may work on large bodies and values. Such work cannot be interrupted, and a small request needs
 * several turns of the event loop. So a limited amount of large work is done in one turn, and none of it in the pause
 * that follows. The pause is as long as that turn was: half of the time is left to all other requests.
 *
 * A turn is only a moment, which nobody holds. How many wait is bounded by what they hold meanwhile: their bodies, or
 * room for their answers. They go on in the order in which they came.
 */
export class Turns {
  private bytes = 0;
  private end: Promise<void> | undefined;

  /** Waits until so many bytes may be parsed, decoded or patched. The caller has to do that at once. */
  async take(bytes: number): Promise<void> {
    while (this.bytes > 0 && this.bytes + bytes > MAX_BYTES) await this.end;
    if (this.bytes === 0) this.end = this.begin();
    this.bytes += bytes;
  }

  private begin(): Promise<void> {
    const start = performance.now();
    return new Promise((resolve) => {
      const end = (): void => {
        this.bytes = 0;
        resolve();
      };
      setImmediate(() => {
        const tookMs = Math.floor(performance.now() - start);
        // After less than one millisecond, one turn of the event loop for the others is enough.
        if (tookMs === 0) end();
        else setTimeout(end, tookMs);
      });
    });
  }
}
