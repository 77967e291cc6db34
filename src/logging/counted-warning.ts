import type { Logger } from './logger.js';

const INTERVAL_MS = 10_000;

/**
 * A warning about something that may happen at any rate. It is logged at once, and then at most every ten seconds,
 * with a count.
 */
export class CountedWarning {
  private count = 0;
  private quiet: NodeJS.Timeout | undefined;

  constructor(
    private readonly logger: Logger,
    private readonly message: string,
  ) {}

  note(): void {
    this.count++;
    if (!this.quiet) this.tell();
  }

  private tell(): void {
    this.quiet = undefined;
    if (this.count === 0) return;
    this.logger.warn({ count: this.count }, this.message);
    this.count = 0;
    this.quiet = setTimeout(() => this.tell(), INTERVAL_MS).unref();
  }
}
