import type { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { isInRange } from './integer-range.js';
import { UnencodableValueError } from './json.errors.js';
import type { JsonValue } from './json.types.js';

/**
 * Writes a JSON value as MessagePack. A safe integer becomes an integer. Any other `number` becomes a float64, which
 * keeps −0 and tells 1e20 apart from an exact integer.
 *
 * @param maxDepth how deep containers may be nested: `{}` has depth 1, `{"a":{}}` depth 2
 * @throws UnencodableValueError for deeper nesting, a lone surrogate, or a number out of range. The writer then holds
 * an incomplete value.
 */
export function encodeValue(writer: MsgpackWriter, value: JsonValue, maxDepth: number): void {
  switch (typeof value) {
    case 'string':
      return encodeString(writer, value);
    case 'number':
      return encodeNumber(writer, value);
    case 'boolean':
      writer.boolean(value);
      return;
    case 'bigint':
      return encodeBigint(writer, value);
    default:
      if (value === null) writer.nil();
      else encodeContainer(writer, value, maxDepth);
  }
}

function encodeContainer(
  writer: MsgpackWriter,
  value: Exclude<JsonValue, bigint | boolean | null | number | string>,
  maxDepth: number,
): void {
  if (maxDepth < 1) throw new UnencodableValueError('nested too deep');
  if (Array.isArray(value)) {
    writer.arrayHeader(value.length);
    for (const item of value) encodeValue(writer, item, maxDepth - 1);
    return;
  }
  // Own names only: `constructor` or `toJSON` must never be looked up on a prototype, let alone be called.
  const names = Object.keys(value);
  writer.mapHeader(names.length);
  for (const name of names) {
    encodeString(writer, name);
    encodeValue(writer, value[name] ?? null, maxDepth - 1);
  }
}

function encodeString(writer: MsgpackWriter, value: string): void {
  if (!writer.wellFormedString(value)) throw new UnencodableValueError('lone surrogate');
}

function encodeNumber(writer: MsgpackWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) writer.integer(value);
  else if (Number.isFinite(value)) writer.double(value);
  else throw new UnencodableValueError('number out of range');
}

function encodeBigint(writer: MsgpackWriter, value: bigint): void {
  if (!isInRange(value)) throw new UnencodableValueError('integer out of range');
  writer.bigint(value);
}
