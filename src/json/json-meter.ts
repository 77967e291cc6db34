import { MsgpackFormatError } from '../msgpack/msgpack-reader.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { isArray, isFloat, isInteger, isMap, isString } from '../msgpack/msgpack-types.js';
import { MAX_DECODED_DEPTH } from './decode-value.js';
import { doubleText } from './double-text.js';
import { escapedBytes, quotedBytes } from './json-text.js';

/**
 * The most bytes of JSON that one byte of MessagePack can become: a control character in a string (`\u0001`), or
 * `false` and its comma.
 */
const MAX_GROWTH = 6;

/**
 * Measures how long the JSON of MessagePack values is, as `decodeValue` writes it, and how deep they are nested. It
 * writes nothing.
 */
export class JsonMeter {
  /** Of UTF-8. */
  bytes = 0;
  /** How deep containers are nested: 1 for `{}`, 0 for a scalar. */
  depth = 0;

  /**
   * Counts the value at the reader's offset, and moves the reader behind it.
   * @throws MsgpackFormatError as `decodeValue` does
   */
  add(reader: MsgpackReader, depth = 0): this {
    const code = reader.peek();
    if (isString(code)) this.addString(reader);
    else if (isInteger(code)) this.bytes += integerBytes(reader.integer64());
    else if (isMap(code)) return this.addObject(reader, depth + 1);
    else if (isArray(code)) return this.addArray(reader, depth + 1);
    else if (isFloat(code)) this.bytes += doubleText(reader.double()).length;
    else if (code === 0xc2 || code === 0xc3) this.bytes += reader.boolean() ? 4 : 5;
    else if (reader.nil()) this.bytes += 4;
    else throw new MsgpackFormatError(`no JSON for 0x${code.toString(16)}`);
    return this;
  }

  /** Counts what a container adds to its contents: brackets, commas, and in an object the colons. */
  addContainer(isObject: boolean, count: number, depth: number): void {
    if (depth > MAX_DECODED_DEPTH) throw new MsgpackFormatError('nested too deep');
    if (depth > this.depth) this.depth = depth;
    this.bytes += 1 + Math.max(1, isObject ? 2 * count : count);
  }

  /** Counts a member's name. */
  addName(name: string): void {
    this.bytes += quotedBytes(name);
  }

  private addObject(reader: MsgpackReader, depth: number): this {
    const count = reader.mapHeader();
    this.addContainer(true, count, depth);
    for (let i = 0; i < count; i++) {
      if (isString(reader.peek())) this.addString(reader);
      else this.addName(String(reader.integer64()));
      this.add(reader, depth);
    }
    return this;
  }

  private addArray(reader: MsgpackReader, depth: number): this {
    const count = reader.arrayHeader();
    this.addContainer(false, count, depth);
    for (let i = 0; i < count; i++) this.add(reader, depth);
    return this;
  }

  private addString(reader: MsgpackReader): void {
    const bytes = reader.stringHeader();
    const start = reader.offset;
    reader.offset += bytes;
    this.bytes += 2 + escapedBytes(reader.buffer, start, reader.offset);
  }
}

function integerBytes(value: number | bigint): number {
  if (value >= 0 && value < 100) return value < 10 ? 1 : 2;
  return String(value).length;
}

/**
 * Whether so many bytes of MessagePack could become more JSON than the limit. Most values are too small for that, and
 * need not be counted.
 */
export function mayExceed(bytes: number, maxJsonBytes: number): boolean {
  return bytes * MAX_GROWTH > maxJsonBytes;
}
