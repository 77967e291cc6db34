const FIRST_MS = 50;
const MAX_MS = 2000;

/** What has served this long is taken to have been healthy: the delays begin anew. */
const HEALTHY_MS = 5000;

/** How long to wait before something that died is started again: twice as long each time it dies young. */
export class Backoff {
  private servesSince: number | undefined;
  private failures = 0;

  /** To be called when it serves. What never did has not been healthy, however long it tried. */
  serves(): void {
    this.servesSince = performance.now();
  }

  /** @returns ms */
  next(): number {
    const { servesSince } = this;
    if (servesSince !== undefined && performance.now() - servesSince > HEALTHY_MS) this.failures = 0;
    this.servesSince = undefined;
    return Math.min(MAX_MS, FIRST_MS * 2 ** this.failures++);
  }
}
