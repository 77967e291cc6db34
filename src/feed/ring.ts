import type { Change, ChangesPage } from './change.js';

/** What a change takes beside its text. */
const OVERHEAD_BYTES = 200;

/** The latest changes of the log, without a gap, up to a number of bytes. */
export class Ring {
  private changes: Change[] = [];
  /** The position of the oldest change that is held. */
  private first = 0;
  private bytes = 0;
  /** All changes behind this revision are held. */
  floor: number;
  tail: number;

  /** Begins with the change behind this revision. */
  constructor(
    revision: number,
    private readonly maxBytes: number,
  ) {
    this.floor = revision;
    this.tail = revision;
  }

  /** Adds the changes that follow. All of one revision are added together. */
  append(changes: readonly Change[], tail: number): void {
    for (const change of changes) {
      this.changes.push(change);
      this.bytes += size(change);
    }
    this.tail = tail;
    let oldest = this.changes[this.first];
    while (this.bytes > this.maxBytes && oldest) {
      this.floor = oldest.revision;
      this.bytes -= size(oldest);
      oldest = this.changes[++this.first];
    }
    if (this.first <= this.changes.length / 2) return;
    this.changes = this.changes.slice(this.first);
    this.first = 0;
  }

  /**
   * Whether all changes behind this revision are held. Another process may have told of a revision that is not here
   * yet.
   */
  covers(after: number): boolean {
    return after >= this.floor && after <= this.tail;
  }

  /**
   * The changes of keys with this prefix behind a revision, up to about `maxBytes`, and all that have the same
   * revision. `covers(after)` must be true.
   */
  page(after: number, prefix: string, maxBytes: number): ChangesPage {
    const found: Change[] = [];
    let bytes = 0;
    let next = after;
    for (let at = this.positionBehind(after); at < this.changes.length; at++) {
      const change = this.changes[at];
      if (!change) break;
      const isOurs = change.key.startsWith(prefix);
      if (isOurs) bytes += size(change);
      if (bytes > maxBytes && change.revision !== next && found.length > 0) {
        return { changes: found, next, isUpToDate: false };
      }
      if (isOurs) found.push(change);
      next = change.revision;
    }
    return { changes: found, next: this.tail, isUpToDate: true };
  }

  /** The position of the first change behind the revision. */
  private positionBehind(revision: number): number {
    let low = this.first;
    let high = this.changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.changes[middle]?.revision ?? 0) > revision) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function size({ key, json }: Change): number {
  return OVERHEAD_BYTES + key.length + (json?.length ?? 0);
}
