import type { LargeRoom, Room } from '../answers/answer-room.js';
import type { Entry } from '../entries/entry.js';
import { ANSWER_SIZE } from '../store/answer-size.js';
import { KvError } from '../entries/kv.errors.js';

/** The most bytes that a result takes beside its value. So many are counted for each result. */
const RESULT_BYTES = 256;
const { SMALL_BYTES, MAX_BYTES } = ANSWER_SIZE;

/**
 * Counts how much of a batch's answer its reads have filled. A read that no longer fits is refused, and no later read
 * is carried out after that. Writes are never refused for lack of space.
 */
export class BatchAnswer implements Room {
  private bytesRead = 0;
  private bytes: number;
  private isFull = false;

  constructor(
    private readonly room: LargeRoom,
    operations: number,
  ) {
    this.bytes = operations * RESULT_BYTES;
  }

  /** @throws {KvError} VALUE_TOO_LARGE where the answer has no space for one more result. */
  async begin(): Promise<void> {
    this.refuseWhenFull();
    if (this.bytesRead > SMALL_BYTES) await this.room.take(MAX_BYTES);
  }

  async takeFor(storedBytes: number): Promise<void> {
    await this.room.take(MAX_BYTES);
    this.refuseWhenFull();
    this.bytesRead += storedBytes;
    this.fill();
  }

  async turn(): Promise<void> {
    await this.room.turn();
    this.refuseWhenFull();
  }

  /** Returns the entry that was read, where it fits into the answer. */
  add(entry: Entry): Entry {
    const bytes = Buffer.byteLength(entry.json);
    this.bytes += bytes;
    if (bytes <= SMALL_BYTES) this.bytesRead += bytes;
    this.fill();
    return entry;
  }

  private fill(): void {
    this.isFull = Math.max(this.bytes, this.bytesRead) > MAX_BYTES;
    this.refuseWhenFull();
  }

  private refuseWhenFull(): void {
    if (this.isFull) throw new KvError('VALUE_TOO_LARGE');
  }
}
