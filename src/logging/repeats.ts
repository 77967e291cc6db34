import type { Logger } from './logger.js';

/** How many lines of one kind are logged in a second. Further lines are counted, and reported in one line. */
export const MAX_REPEATS_PER_SECOND = 10;

const SECOND_MS = 1000;

interface Kind {
  logged: number;
  suppressed: number;
}

/**
 * Limits lines that one client could repeat without bound, such as refusals. Lines that are left out are counted by
 * kind.
 */
export class Repeats {
  /** The kinds of the current second, which begins with its first line. */
  private readonly kinds = new Map<string, Kind>();
  private second: NodeJS.Timeout | undefined;

  constructor(private readonly logger: Logger) {}

  /**
   * Whether one more line of this kind is to be logged. A kind names a code and a route, never a single request, so
   * there are few kinds.
   */
  allow(kind: string): boolean {
    const known = this.kinds.get(kind) ?? { logged: 0, suppressed: 0 };
    if (known.logged === 0) this.kinds.set(kind, known);
    this.second ??= setTimeout(() => this.tell(), SECOND_MS).unref();
    if (known.logged >= MAX_REPEATS_PER_SECOND) {
      known.suppressed++;
      return false;
    }
    known.logged++;
    return true;
  }

  /** Reports the lines that were left out so far. It is also called at the end of each second. */
  tell(): void {
    clearTimeout(this.second);
    this.second = undefined;
    for (const [kind, { suppressed }] of this.kinds) {
      if (suppressed > 0) this.logger.warn({ kind, suppressed }, 'lines like those before were not logged');
    }
    this.kinds.clear();
  }
}
