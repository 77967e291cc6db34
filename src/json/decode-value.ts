import { MsgpackFormatError } from '../msgpack/msgpack-reader.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { isArray, isFloat, isInteger, isMap, isString } from '../msgpack/msgpack-types.js';
import { doubleText } from './double-text.js';
import { JsonText } from './json-text.js';

/**
 * Values that this service wrote are nested less deep (`MAX_DEPTH`). The limit keeps data of other origin from
 * overflowing the stack.
 */
export const MAX_DECODED_DEPTH = 128;

const COMMA = 0x2c;
const COLON = 0x3a;

/** One buffer for all values: decoding never yields in the middle of a value, and begins with `reset()`. */
const text = new JsonText();

/**
 * Decodes the MessagePack value at the reader's offset into JSON text, and moves the reader behind it. 64-bit
 * integers are printed exactly. An integral double beyond the safe range is printed with an exponent, so that no
 * reader takes it for an exact integer.
 *
 * @throws MsgpackFormatError for what JSON cannot express: binary and extension types, NaN, infinities, names that
 * are neither strings nor integers, strings that are not UTF-8, nesting deeper than 128
 */
export function decodeValue(reader: MsgpackReader): string {
  text.reset();
  writeValue(reader, MAX_DECODED_DEPTH);
  const result = text.finish();
  if (result === undefined) throw new MsgpackFormatError('a string is not UTF-8');
  return result;
}

function writeValue(reader: MsgpackReader, maxDepth: number): void {
  const code = reader.peek();
  if (isString(code)) writeString(reader);
  else if (isInteger(code)) text.ascii(String(reader.integer64()));
  else if (isMap(code)) writeObject(reader, maxDepth);
  else if (isArray(code)) writeArray(reader, maxDepth);
  else if (isFloat(code)) text.ascii(doubleText(reader.double()));
  else if (code === 0xc2 || code === 0xc3) text.ascii(reader.boolean() ? 'true' : 'false');
  else if (reader.nil()) text.ascii('null');
  else throw new MsgpackFormatError(`no JSON for 0x${code.toString(16)}`);
}

function writeObject(reader: MsgpackReader, maxDepth: number): void {
  if (maxDepth < 1) throw new MsgpackFormatError('nested too deep');
  const count = reader.mapHeader();
  text.ascii('{');
  for (let i = 0; i < count; i++) {
    if (i > 0) text.character(COMMA);
    writeName(reader);
    text.character(COLON);
    writeValue(reader, maxDepth - 1);
  }
  text.ascii('}');
}

function writeArray(reader: MsgpackReader, maxDepth: number): void {
  if (maxDepth < 1) throw new MsgpackFormatError('nested too deep');
  const count = reader.arrayHeader();
  text.ascii('[');
  for (let i = 0; i < count; i++) {
    if (i > 0) text.character(COMMA);
    writeValue(reader, maxDepth - 1);
  }
  text.ascii(']');
}

/** Writes a member's name. Maps made by Lua may have integers as names. */
function writeName(reader: MsgpackReader): void {
  const code = reader.peek();
  if (isString(code)) writeString(reader);
  else if (isInteger(code)) text.ascii(`"${reader.integer64()}"`);
  else throw new MsgpackFormatError(`no name for 0x${code.toString(16)}`);
}

function writeString(reader: MsgpackReader): void {
  const bytes = reader.stringHeader();
  const start = reader.offset;
  reader.offset += bytes;
  text.quoted(reader.buffer, start, reader.offset);
}
