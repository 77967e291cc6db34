const MIN_GROWN_BYTES = 4096;

/** Gathers bytes in a buffer of at most twice their number, or 4 KiB. The bytes are copied, except the first ones. */
export class GrowingBuffer {
  private memory: Buffer;
  length: number;

  /** `first` is kept without a copy. The buffer never grows beyond `maxBytes`. */
  constructor(
    first: Buffer,
    private readonly maxBytes: number,
  ) {
    this.memory = first;
    this.length = first.length;
  }

  /** The bytes of memory that have to be added before this many more bytes fit. */
  growthFor(bytes: number): number {
    const needed = this.length + bytes;
    if (needed <= this.memory.length) return 0;
    const doubled = Math.max(needed, 2 * this.memory.length, MIN_GROWN_BYTES);
    return Math.max(needed, Math.min(doubled, this.maxBytes)) - this.memory.length;
  }

  add(chunk: Buffer): void {
    const growth = this.growthFor(chunk.length);
    if (growth > 0) {
      const larger = Buffer.allocUnsafeSlow(this.memory.length + growth);
      larger.set(this.bytes());
      this.memory = larger;
    }
    this.memory.set(chunk, this.length);
    this.length += chunk.length;
  }

  /** The gathered bytes, without a copy. */
  bytes(): Buffer {
    return this.memory.subarray(0, this.length);
  }
}
