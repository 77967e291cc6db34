import { KvError } from '../../entries/kv.errors.js';

/**
 * Bounds the work of a patch, measured in bytes of MessagePack that are looked at, each of which takes some
 * nanoseconds. Other work is counted as the number of bytes that take the same time.
 */
export class Budget {
  constructor(private left: number) {}

  /**
   * To be called before the work is done.
   * @throws {KvError} VALUE_TOO_LARGE
   */
  spend(work: number): void {
    this.left -= work;
    if (this.left < 0) throw new KvError('VALUE_TOO_LARGE');
  }
}
