import type { Logger } from './logger.js';

/** Lines of one kind that are logged in a second; those beyond are counted, and told as one. */
export const MAX_REPEATS_PER_SECOND = 10;

const SECOND_MS = 1000;

interface Kind {
  logged: number;
  suppressed: number;
}

/** Limits lines that one client could repeat without bound, such as refusals: what is left out is counted by kind. */
export class Repeats {
  /** Of the second that runs, which begins with the first line. */
  private readonly kinds = new Map<string, Kind>();
  private second: NodeJS.Timeout | undefined;

  constructor(private readonly logger: Logger) {}

  /** Whether one more line of this kind is to be logged. There must be few kinds: they name codes and routes, not requests. */
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

  /** Tells what was left out so far; by itself at the end of each second. */
  tell(): void {
    clearTimeout(this.second);
    this.second = undefined;
    for (const [kind, { suppressed }] of this.kinds) {
      if (suppressed > 0) this.logger.warn({ kind, suppressed }, 'lines like those before were not logged');
    }
    this.kinds.clear();
  }
}
