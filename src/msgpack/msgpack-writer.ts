import { grown } from './grown.js';
import { writeInteger } from './write-integer.js';

/**
 * Strings of up to this many UTF-16 units are copied in JavaScript. For ASCII that is cheaper than a call into C++.
 */
const SHORT_STRING = 64;

/**
 * Writes MessagePack into a buffer that grows (https://github.com/msgpack/msgpack/blob/master/spec.md). One writer
 * serves many documents: `reset()`, write, `bytes()`.
 */
export class MsgpackWriter {
  private buffer: Buffer;
  private end = 0;

  constructor(private readonly initialBytes = 8192) {
    this.buffer = Buffer.allocUnsafeSlow(initialBytes);
  }

  get length(): number {
    return this.end;
  }

  /** Forgets what was written, and releases the memory of an unusually large document. */
  reset(): this {
    this.end = 0;
    if (this.buffer.length > this.initialBytes * 16) this.buffer = Buffer.allocUnsafeSlow(this.initialBytes);
    return this;
  }

  /** A copy of what was written. It stays valid when the writer is used again. */
  bytes(): Buffer {
    return Buffer.from(this.buffer.subarray(0, this.end));
  }

  /**
   * What was written, without a copy. It changes when the writer is reset, and becomes stale when the writer grows.
   */
  view(): Buffer {
    return this.buffer.subarray(0, this.end);
  }

  arrayHeader(count: number): this {
    return this.header(count, 0x90, 15, 0xdc);
  }

  mapHeader(count: number): this {
    return this.header(count, 0x80, 15, 0xde);
  }

  nil(): this {
    this.reserve(1);
    this.buffer[this.end++] = 0xc0;
    return this;
  }

  boolean(value: boolean): this {
    this.reserve(1);
    this.buffer[this.end++] = value ? 0xc3 : 0xc2;
    return this;
  }

  /** Writes a safe integer in the shortest form. */
  integer(value: number): this {
    this.reserve(9);
    this.end = writeInteger(this.buffer, this.end, value);
    return this;
  }

  /** Writes a 64-bit integer: −2^63 … 2^64−1. */
  bigint(value: bigint): this {
    this.reserve(9);
    if (value >= 0n) {
      this.buffer[this.end++] = 0xcf;
      this.end = this.buffer.writeBigUInt64BE(value, this.end);
    } else {
      this.buffer[this.end++] = 0xd3;
      this.end = this.buffer.writeBigInt64BE(value, this.end);
    }
    return this;
  }

  double(value: number): this {
    this.reserve(9);
    this.buffer[this.end++] = 0xcb;
    this.end = this.buffer.writeDoubleBE(value, this.end);
    return this;
  }

  string(value: string): this {
    const units = value.length;
    if (units > SHORT_STRING || !this.shortAscii(value, units)) this.longString(value);
    return this;
  }

  /**
   * Writes a string as `string` does. For a lone surrogate, which UTF-8 can only replace, it writes nothing and
   * returns false.
   */
  wellFormedString(value: string): boolean {
    const units = value.length;
    if (units <= SHORT_STRING && this.shortAscii(value, units)) return true;
    if (!value.isWellFormed()) return false;
    this.longString(value);
    return true;
  }

  /**
   * Writes `bytes` as one MessagePack string. A ready-made document is passed to a stored function in this form,
   * undecoded.
   */
  stringOf(bytes: Uint8Array): this {
    this.stringHeader(bytes.length);
    return this.raw(bytes);
  }

  /** Writes bytes that are MessagePack already. */
  raw(bytes: Uint8Array): this {
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.end);
    this.end += bytes.length;
    return this;
  }

  /** Writes the bytes of `source` from `start` to `end`, which are MessagePack already. */
  copy(source: Buffer, start: number, end: number): this {
    this.reserve(end - start);
    if (end - start > SHORT_STRING) this.end += source.copy(this.buffer, this.end, start, end);
    else for (let at = start; at < end; at++) this.buffer[this.end++] = source[at] ?? 0;
    return this;
  }

  private shortAscii(value: string, units: number): boolean {
    this.reserve(units + 2);
    const { buffer } = this;
    let at = this.end;
    if (units < 32) buffer[at++] = 0xa0 | units;
    else {
      buffer[at++] = 0xd9;
      buffer[at++] = units;
    }
    for (let i = 0; i < units; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return false;
      buffer[at++] = unit;
    }
    this.end = at;
    return true;
  }

  private longString(value: string): void {
    const bytes = Buffer.byteLength(value, 'utf8');
    this.stringHeader(bytes);
    this.reserve(bytes);
    this.end += this.buffer.write(value, this.end, bytes, 'utf8');
  }

  private stringHeader(bytes: number): void {
    this.reserve(5);
    if (bytes < 32) this.buffer[this.end++] = 0xa0 | bytes;
    else if (bytes <= 0xff) {
      this.buffer[this.end++] = 0xd9;
      this.buffer[this.end++] = bytes;
    } else {
      this.header(bytes, 0, -1, 0xda);
    }
  }

  private header(count: number, fix: number, fixMax: number, code16: number): this {
    this.reserve(5);
    if (count <= fixMax) this.buffer[this.end++] = fix | count;
    else if (count <= 0xffff) {
      this.buffer[this.end++] = code16;
      this.end = this.buffer.writeUInt16BE(count, this.end);
    } else {
      this.buffer[this.end++] = code16 + 1;
      this.end = this.buffer.writeUInt32BE(count, this.end);
    }
    return this;
  }

  private reserve(bytes: number): void {
    const needed = this.end + bytes;
    if (needed > this.buffer.length) this.buffer = grown(this.buffer, this.end, needed);
  }
}
