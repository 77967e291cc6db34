/** The bytes are not the MessagePack that was expected: they are cut short, or of another type. */
export class MsgpackFormatError extends Error {
  override readonly name = 'MsgpackFormatError';
}

/** Reads MessagePack from front to back without copying (https://github.com/msgpack/msgpack/blob/master/spec.md). */
export class MsgpackReader {
  constructor(
    readonly buffer: Buffer,
    public offset = 0,
  ) {}

  arrayHeader(): number {
    return this.header(0x90, 0xdc, 'an array');
  }

  mapHeader(): number {
    return this.header(0x80, 0xde, 'a map');
  }

  /** How many bytes are not read yet. */
  get left(): number {
    return this.buffer.length - this.offset;
  }

  /** Reads an integer that a double holds exactly. A wider integer or another type is a format error. */
  integer(): number {
    const value = this.integer64();
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new MsgpackFormatError('integer out of the safe range');
    return number;
  }

  /** Reads any 64-bit integer. It is a `bigint` only where a double could not hold it exactly. */
  integer64(): number | bigint {
    const { buffer } = this;
    const code = this.byte();
    if (code < 0x80) return code;
    if (code >= 0xe0) return code - 0x100;
    const at = this.offset;
    switch (code) {
      case 0xcc:
        this.skipBytes(1);
        return buffer.readUInt8(at);
      case 0xcd:
        this.skipBytes(2);
        return buffer.readUInt16BE(at);
      case 0xce:
        this.skipBytes(4);
        return buffer.readUInt32BE(at);
      case 0xcf:
        this.skipBytes(8);
        return narrow(buffer.readBigUInt64BE(at));
      case 0xd0:
        this.skipBytes(1);
        return buffer.readInt8(at);
      case 0xd1:
        this.skipBytes(2);
        return buffer.readInt16BE(at);
      case 0xd2:
        this.skipBytes(4);
        return buffer.readInt32BE(at);
      case 0xd3:
        this.skipBytes(8);
        return narrow(buffer.readBigInt64BE(at));
      default:
        throw new MsgpackFormatError(`expected an integer, found 0x${code.toString(16)}`);
    }
  }

  string(): string {
    const bytes = this.stringHeader();
    const start = this.offset;
    this.offset += bytes;
    return this.buffer.toString('utf8', start, this.offset);
  }

  /**
   * Reads the header of the next string and returns its length in bytes of UTF-8. All of the string is there, and the
   * offset stands at its first byte.
   */
  stringHeader(): number {
    const code = this.byte();
    let bytes: number;
    if ((code & 0xe0) === 0xa0) bytes = code & 0x1f;
    else if (code >= 0xd9 && code <= 0xdb) bytes = this.unsigned(1 << (code - 0xd9));
    else throw new MsgpackFormatError(`expected a string, found 0x${code.toString(16)}`);
    if (this.offset + bytes > this.buffer.length) throw new MsgpackFormatError('cut short');
    return bytes;
  }

  /** Reads a float32 or a float64, which may be NaN or infinite. */
  double(): number {
    const code = this.byte();
    if (code !== 0xca && code !== 0xcb)
      throw new MsgpackFormatError(`expected a float, found 0x${code.toString(16)}`);
    const at = this.offset;
    this.skipBytes(code === 0xca ? 4 : 8);
    return code === 0xca ? this.buffer.readFloatBE(at) : this.buffer.readDoubleBE(at);
  }

  /** The first byte of the next value, which tells its type. The offset does not move. */
  peek(): number {
    const code = this.buffer[this.offset];
    if (code === undefined) throw new MsgpackFormatError('cut short');
    return code;
  }

  boolean(): boolean {
    const code = this.byte();
    if (code !== 0xc2 && code !== 0xc3) throw new MsgpackFormatError('expected a boolean');
    return code === 0xc3;
  }

  /** Whether the next value is nil. If so, it is consumed. */
  nil(): boolean {
    if (this.buffer[this.offset] !== 0xc0) return false;
    this.offset++;
    return true;
  }

  /** Skips one whole value, however deep it is nested. */
  skip(): void {
    for (let left = 1; left > 0; left--) {
      const code = this.byte();
      if (code < 0x80 || code >= 0xe0) continue;
      if (code < 0x90) left += 2 * (code & 0x0f);
      else if (code < 0xa0) left += code & 0x0f;
      else if (code < 0xc0) this.skipBytes(code & 0x1f);
      else left += this.skipBody(code);
    }
  }

  private skipBody(code: number): number {
    if (code <= 0xc3) return 0; // nil, unused, false, true
    if (code <= 0xc6) return this.skipSized(1 << (code - 0xc4), 0); // bin 8/16/32
    if (code <= 0xc9) return this.skipSized(1 << (code - 0xc7), 1); // ext 8/16/32
    if (code <= 0xcb) return this.skipBytes(code === 0xca ? 4 : 8); // float
    if (code <= 0xcf) return this.skipBytes(1 << (code - 0xcc)); // uint
    if (code <= 0xd3) return this.skipBytes(1 << (code - 0xd0)); // int
    if (code <= 0xd8) return this.skipBytes((1 << (code - 0xd4)) + 1); // fixext
    if (code <= 0xdb) return this.skipSized(1 << (code - 0xd9), 0); // str
    const count = this.unsigned(code === 0xdc || code === 0xde ? 2 : 4);
    return code >= 0xde ? 2 * count : count;
  }

  private skipSized(lengthBytes: number, extra: number): number {
    return this.skipBytes(this.unsigned(lengthBytes) + extra);
  }

  private skipBytes(count: number): 0 {
    this.offset += count;
    if (this.offset > this.buffer.length) throw new MsgpackFormatError('cut short');
    return 0;
  }

  private header(fix: number, code16: number, type: string): number {
    const code = this.byte();
    if ((code & 0xf0) === fix) return code & 0x0f;
    if (code === code16) return this.unsigned(2);
    if (code === code16 + 1) return this.unsigned(4);
    throw new MsgpackFormatError(`expected ${type}, found 0x${code.toString(16)}`);
  }

  private unsigned(bytes: number): number {
    const at = this.offset;
    this.skipBytes(bytes);
    return this.buffer.readUIntBE(at, bytes);
  }

  private byte(): number {
    const code = this.buffer[this.offset++];
    if (code === undefined) throw new MsgpackFormatError('cut short');
    return code;
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
