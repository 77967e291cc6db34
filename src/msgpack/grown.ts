/**
 * A larger buffer with the same beginning. It has at least `bytes` and at least twice the old size, so that filling
 * it takes linear time.
 */
export function grown(buffer: Buffer, used: number, bytes: number): Buffer<ArrayBuffer> {
  const larger = Buffer.allocUnsafeSlow(Math.max(bytes, buffer.length * 2));
  buffer.copy(larger, 0, 0, used);
  return larger;
}
