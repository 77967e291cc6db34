/** A value of 64 KiB with its key and what is around both: bytes that the unit of each request pays for. */
const FREE_BYTES = 68 * 1024;

/** Bytes that cost one unit more. */
const UNIT_BYTES = 64 * 1024;

/** Units that bytes cost beyond the one of each request. Most are few, and cost one comparison. */
export function unitsOfBytes(bytes: number): number {
  return bytes > FREE_BYTES ? Math.ceil((bytes - FREE_BYTES) / UNIT_BYTES) : 0;
}

/** What a request has cost so far: as many units as it has operations, or as its bytes cost where that is more. */
export class Work {
  operations = 1;
  bytes = 1;
  charged = 0;

  /** Units that are not charged yet. Bytes alone never cost more than the limit, or what is large could never pass. */
  due(limit: number): number {
    return Math.max(0, Math.max(this.operations, Math.min(this.bytes, limit)) - this.charged);
  }
}
