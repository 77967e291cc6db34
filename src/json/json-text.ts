import { grown } from '../msgpack/grown.js';
import { isUtf8 } from 'node:buffer';

const INITIAL_BYTES = 16_384;
/** A buffer larger than this is released once the document that needed it is done. */
const KEPT_BYTES = 16 * INITIAL_BYTES;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The escapes that RFC 8259 §7 requires, by byte. */
const ESCAPES = new Map(
  [...Array(0x20).keys(), QUOTE, BACKSLASH].map((code) => [
    code,
    Buffer.from(JSON.stringify(String.fromCharCode(code)).slice(1, -1)),
  ]),
);
const MAX_ESCAPE_BYTES = 6;

/** How many bytes the string from `start` to `end` of `source` takes between the quotes of a JSON string. */
export function escapedBytes(source: Uint8Array, start: number, end: number): number {
  let bytes = end - start;
  for (let at = start; at < end; at++) {
    const byte = source[at] ?? 0;
    if (byte < 0x20 || byte === QUOTE || byte === BACKSLASH) bytes += (ESCAPES.get(byte)?.length ?? 1) - 1;
  }
  return bytes;
}

/** How many bytes a string takes as JSON, quotes included. */
export function quotedBytes(text: string): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit > 0x7f || unit === QUOTE || unit === BACKSLASH)
      return Buffer.byteLength(JSON.stringify(text));
  }
  return text.length + 2;
}

/**
 * Builds JSON text as bytes of UTF-8. Strings of MessagePack are UTF-8 too, so they are copied without decoding. Only
 * the finished text becomes a JavaScript string, so that a document is decoded once and not string by string.
 */
export class JsonText {
  private buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  private end = 0;
  /** All bytes of the strings, combined by OR. It is below 0x80 as long as the text is ASCII. */
  private seen = 0;

  reset(): void {
    this.end = 0;
    this.seen = 0;
    if (this.buffer.length > KEPT_BYTES) this.buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  /** The finished text, or undefined when a string was not well-formed UTF-8. */
  finish(): string | undefined {
    if (this.seen < 0x80) return this.buffer.toString('latin1', 0, this.end);
    return isUtf8(this.buffer.subarray(0, this.end)) ? this.buffer.toString('utf8', 0, this.end) : undefined;
  }

  character(code: number): void {
    this.reserve(1);
    this.buffer[this.end++] = code;
  }

  /** Writes a few ASCII characters. */
  ascii(text: string): void {
    this.reserve(text.length);
    for (let i = 0; i < text.length; i++) this.buffer[this.end++] = text.charCodeAt(i);
  }

  /** Writes the bytes of `source` from `start` to `end` as a JSON string. */
  quoted(source: Uint8Array, start: number, end: number): void {
    // Up to 1 MB this loop is faster than JSON.stringify, which would need a JavaScript string first.
    this.reserve(end - start + 2);
    let { buffer } = this;
    let to = this.end;
    let seen = 0;
    buffer[to++] = QUOTE;
    for (let at = start; at < end; at++) {
      const byte = source[at] ?? 0;
      seen |= byte;
      if (byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH) {
        buffer[to++] = byte;
        continue;
      }
      this.end = to;
      this.escape(byte, end - at);
      ({ buffer, end: to } = this);
    }
    buffer[to++] = QUOTE;
    this.end = to;
    this.seen |= seen;
  }

  /** Writes one escape, and makes room for the `left` bytes of the string and its closing quote that follow. */
  private escape(byte: number, left: number): void {
    this.reserve(MAX_ESCAPE_BYTES + left);
    const escape = ESCAPES.get(byte);
    if (escape === undefined) throw new TypeError(`no escape for byte ${byte}`);
    for (const unit of escape) this.buffer[this.end++] = unit;
  }

  private reserve(bytes: number): void {
    const needed = this.end + bytes;
    if (needed > this.buffer.length) this.buffer = grown(this.buffer, this.end, needed);
  }
}
