const MIN_GROWN_BYTES = 4096;

/** Gathers bytes in memory of at most twice their number, or 4 KiB. What is added is copied, except where it comes first. */
export class GrowingBuffer {
  private memory: Buffer;
  length: number;

  /** `first` is kept, not copied. It grows up to `maxBytes` and not further. */
  constructor(
    first: Buffer,
    private readonly maxBytes: number,
  ) {
    this.memory = first;
    this.length = first.length;
  }

  /** Bytes of memory that adding so many more bytes would take on top of what it has. */
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

  /** What has been gathered, not copied. */
  bytes(): Buffer {
    return this.memory.subarray(0, this.length);
  }
}
