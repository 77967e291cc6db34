import type { LargeRoom, Room } from '../answers/answer-room.js';
import type { Entry } from '../entries/entry.js';
import { ANSWER_SIZE } from '../store/answer-size.js';
import { KvError } from '../entries/kv.errors.js';

/** What a result takes of it at most beside its value, whether or not it does. */
const RESULT_BYTES = 256;
const { SMALL_BYTES, MAX_BYTES } = ANSWER_SIZE;

/**
 * What the reads of a batch have filled of its answer. Reads that find no place are refused one by one, and when one was, no later one
 * is carried out; writes never are refused for that.
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

  /** @throws {KvError} VALUE_TOO_LARGE where nothing more has a place. */
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

  async turn(storedBytes: number): Promise<void> {
    await this.room.turn(storedBytes);
    this.refuseWhenFull();
  }

  /** What was read, where it has a place. */
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
