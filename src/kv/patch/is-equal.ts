import { isObject } from '../../json/is-object.js';
import type { JsonValue } from '../../json/json.types.js';
import type { MsgpackReader } from '../../msgpack/msgpack-reader.js';
import { isArray, isFloat, isInteger, isMap, isString } from '../../msgpack/msgpack-types.js';
import type { Document } from './document.js';
import type { Node } from './node.js';
import { ownMember } from './pointer.js';

/**
 * Whether two JSON values are equal: numbers by their value, objects whatever the order of their members (RFC 6902
 * §4.6). Where they are equal, the comparison costs as much as `expected` is long, and the patch is longer than that.
 * Where they differ, the patch ends.
 */
export function isEqual(document: Document, node: Node, expected: JsonValue): boolean {
  if (typeof node === 'number') return readsEqual(document.reader(node), expected);
  if (Array.isArray(node)) {
    if (!Array.isArray(expected) || expected.length !== node.length) return false;
    return node.every((item, i) => isEqual(document, item, expected[i] ?? null));
  }
  if (!isObject(expected) || Object.keys(expected).length !== node.size) return false;
  for (const [name, member] of node) {
    const theirs = ownMember(expected, name);
    if (theirs === undefined || !isEqual(document, member, theirs)) return false;
  }
  return true;
}

/** Where the values are equal, the reader stands behind the value afterwards. */
function readsEqual(reader: MsgpackReader, expected: JsonValue): boolean {
  const code = reader.peek();
  if (isString(code)) return typeof expected === 'string' && readsString(reader, expected);
  if (isInteger(code)) return isNumber(expected) && reader.integer64() == expected;
  if (isFloat(code)) return isNumber(expected) && reader.double() == expected;
  if (isMap(code)) return readsObject(reader, expected);
  if (isArray(code)) {
    if (!Array.isArray(expected) || reader.arrayHeader() !== expected.length) return false;
    return expected.every((item) => readsEqual(reader, item));
  }
  return reader.nil() ? expected === null : reader.boolean() === expected;
}

function readsObject(reader: MsgpackReader, expected: JsonValue): boolean {
  if (!isObject(expected)) return false;
  let left = reader.mapHeader();
  if (left !== Object.keys(expected).length) return false;
  for (; left > 0; left--) {
    const name = isString(reader.peek()) ? reader.string() : String(reader.integer64());
    const theirs = ownMember(expected, name);
    if (theirs === undefined || !readsEqual(reader, theirs)) return false;
  }
  return true;
}

function readsString(reader: MsgpackReader, expected: string): boolean {
  const start = reader.offset;
  const bytes = reader.stringHeader();
  // A UTF-16 unit is one to three bytes of UTF-8.
  if (bytes < expected.length || bytes > 3 * expected.length) return false;
  reader.offset = start;
  return reader.string() === expected;
}

function isNumber(value: JsonValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
