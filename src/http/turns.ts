/** A turn ends when so much time has been worked. One piece of work may take longer. */
const TURN_MS = 1;

type Begin = () => void;

/**
 * Decides when a worker may do large work: parse bodies, decode values, patch them. Such work cannot be interrupted,
 * and a small request needs several turns of the event loop. So one piece of large work is done in each of them, and
 * none in the pause that follows a millisecond of it. The pause is as long as the work was: half of the time is left to
 * all other requests.
 *
 * How many pieces wait is bounded by what they hold meanwhile: their bodies, or room for their answers. Clients take
 * turns, and the pieces of one client go on in the order in which they came.
 */
export class Turns {
  /** The pieces that wait, by client, in the order of the turns. */
  private readonly lines = new Map<string, Begin[]>();
  private isBusy = false;
  private workedMs = 0;

  /** Waits until the next piece of this client's work may be done. The caller has to do it at once. */
  take(client: string): Promise<void> {
    if (!this.isBusy) {
      this.isBusy = true;
      const start = performance.now();
      setImmediate(() => this.end(performance.now() - start));
      return Promise.resolve();
    }
    return new Promise((begin) => {
      const line = this.lines.get(client);
      if (line) line.push(begin);
      else this.lines.set(client, [begin]);
    });
  }

  private end(tookMs: number): void {
    this.workedMs += tookMs;
    if (this.workedMs < TURN_MS) {
      this.next();
      return;
    }
    setTimeout(() => this.next(), Math.floor(this.workedMs));
    this.workedMs = 0;
  }

  private next(): void {
    const begin = this.shift();
    if (!begin) {
      this.isBusy = false;
      return;
    }
    let start = 0;
    setImmediate(() => {
      start = performance.now();
      begin();
    });
    // Node runs this after everything that `begin` has resolved, and before it looks for events.
    setImmediate(() => this.end(performance.now() - start));
  }

  private shift(): Begin | undefined {
    for (const [client, line] of this.lines) {
      const begin = line.shift();
      this.lines.delete(client);
      if (line.length > 0) this.lines.set(client, line);
      return begin;
    }
    return undefined;
  }
}
