const MAX_UINT32 = 0xffff_ffff;
const MIN_INT32 = -0x8000_0000;

/** Writes a safe integer in the shortest form, which takes at most 9 bytes. Returns the offset behind it. */
export function writeInteger(buffer: Buffer, at: number, value: number): number {
  return value >= 0 ? writeUnsigned(buffer, at, value) : writeNegative(buffer, at, value);
}

function writeUnsigned(buffer: Buffer, at: number, value: number): number {
  if (value < 0x80) {
    buffer[at] = value;
    return at + 1;
  }
  if (value <= 0xff) {
    buffer[at] = 0xcc;
    return buffer.writeUInt8(value, at + 1);
  }
  if (value <= 0xffff) {
    buffer[at] = 0xcd;
    return buffer.writeUInt16BE(value, at + 1);
  }
  if (value <= MAX_UINT32) {
    buffer[at] = 0xce;
    return buffer.writeUInt32BE(value, at + 1);
  }
  buffer[at] = 0xcf;
  const low = buffer.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at + 1);
  return buffer.writeUInt32BE(value % 0x1_0000_0000, low);
}

function writeNegative(buffer: Buffer, at: number, value: number): number {
  if (value >= -0x20) {
    buffer[at] = value + 0x100;
    return at + 1;
  }
  if (value >= -0x80) {
    buffer[at] = 0xd0;
    return buffer.writeInt8(value, at + 1);
  }
  if (value >= -0x8000) {
    buffer[at] = 0xd1;
    return buffer.writeInt16BE(value, at + 1);
  }
  if (value >= MIN_INT32) {
    buffer[at] = 0xd2;
    return buffer.writeInt32BE(value, at + 1);
  }
  buffer[at] = 0xd3;
  return buffer.writeBigInt64BE(BigInt(value), at + 1);
}
