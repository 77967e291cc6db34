/** The bytes that the one unit of each request pays for: a value of 64 KiB, its key, and what surrounds them. */
const FREE_BYTES = 68 * 1024;

/** Each further unit pays for this many bytes. */
const UNIT_BYTES = 64 * 1024;

/**
 * The units that bytes cost in addition to the one of each request. Most requests have few bytes, and this costs one
 * comparison.
 */
export function unitsOfBytes(bytes: number): number {
  return bytes > FREE_BYTES ? Math.ceil((bytes - FREE_BYTES) / UNIT_BYTES) : 0;
}

/** The cost of a request so far. It is the number of its operations or the cost of its bytes, whichever is more. */
export class Work {
  operations = 1;
  bytes = 1;
  charged = 0;

  /**
   * The units that are not charged yet. Bytes alone never cost more than the limit. Otherwise a large request could
   * never pass.
   */
  due(limit: number): number {
    return Math.max(0, Math.max(this.operations, Math.min(this.bytes, limit)) - this.charged);
  }
}
