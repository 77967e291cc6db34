import { KvError } from '../../entries/kv.errors.js';

/**
 * The work that a patch may take, in bytes of MessagePack that are looked at: some nanoseconds each. Other work is counted as so many
 * bytes as take the same time.
 */
export class Budget {
  constructor(private left: number) {}

  /**
   * Before the work is done.
   * @throws {KvError} VALUE_TOO_LARGE
   */
  spend(work: number): void {
    this.left -= work;
    if (this.left < 0) throw new KvError('VALUE_TOO_LARGE');
  }
}
