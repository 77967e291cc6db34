const FIRST_MS = 50;
const MAX_MS = 2000;

/** A process that has served for this long counts as healthy, and the delays start again at the shortest. */
const HEALTHY_MS = 5000;

/**
 * How long to wait before a process that died is started again. The delay doubles each time the process dies young.
 */
export class Backoff {
  private servesSince: number | undefined;
  private failures = 0;

  /** To be called when the process serves. A process that never served was not healthy, however long it tried. */
  serves(): void {
    this.servesSince = performance.now();
  }

  /** @returns the delay in ms */
  next(): number {
    const { servesSince } = this;
    if (servesSince !== undefined && performance.now() - servesSince > HEALTHY_MS) this.failures = 0;
    this.servesSince = undefined;
    return Math.min(MAX_MS, FIRST_MS * 2 ** this.failures++);
  }
}
