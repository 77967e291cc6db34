const FIRST_MS = 50;
const MAX_MS = 2000;

/** Having run this long, what dies is taken to have been healthy: the delays begin anew. */
const HEALTHY_MS = 5000;

/** How long to wait before something that died is started again: twice as long each time it dies young. */
export class Backoff {
  private startedAt = 0;
  private failures = 0;

  started(): void {
    this.startedAt = performance.now();
  }

  /** @returns ms */
  next(): number {
    if (performance.now() - this.startedAt > HEALTHY_MS) this.failures = 0;
    return Math.min(MAX_MS, FIRST_MS * 2 ** this.failures++);
  }
}
