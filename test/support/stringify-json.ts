import { decodeValue, MAX_DECODED_DEPTH } from '../../src/json/decode-value.js';
import { encodeValue } from '../../src/json/encode-value.js';
import type { JsonValue } from '../../src/json/json.types.js';
import { MsgpackReader } from '../../src/msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../../src/msgpack/msgpack-writer.js';

/** A JSON value in the form in which the service would answer it. */
export function stringifyJson(value: JsonValue): string {
  const writer = new MsgpackWriter();
  encodeValue(writer, value, MAX_DECODED_DEPTH);
  return decodeValue(new MsgpackReader(writer.bytes()));
}
