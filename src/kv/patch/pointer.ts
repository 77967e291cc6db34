import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { KvError } from '../kv.errors.js';

const ARRAY_INDEX = /^(?:0|[1-9]\d{0,9})$/;
const BAD_ESCAPE = /~(?![01])/;

/** @throws {KvError} INVALID_BODY where it is no JSON Pointer (RFC 6901 §3). */
export function parsePointer(pointer: JsonValue | undefined): string[] {
  if (typeof pointer !== 'string' || BAD_ESCAPE.test(pointer)) throw new KvError('INVALID_BODY');
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new KvError('INVALID_BODY');
  const tokens = pointer.slice(1).split('/');
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** @throws {KvError} INVALID_BODY where nothing is there. */
export function valueAt(document: JsonValue, path: readonly string[]): JsonValue {
  let value = document;
  for (const token of path) {
    const container = asContainer(value);
    const child = Array.isArray(container)
      ? container[arrayIndex(token, container.length - 1)]
      : ownMember(container, token);
    if (child === undefined) throw new KvError('INVALID_BODY');
    value = child;
  }
  return value;
}

/** @throws {KvError} INVALID_BODY for what has no members. */
export function asContainer(value: JsonValue): JsonValue[] | JsonObject {
  if (typeof value !== 'object' || value === null) throw new KvError('INVALID_BODY');
  return value;
}

/** @throws {KvError} INVALID_BODY for what is no index from 0 to `last` (RFC 6901 §4). */
export function arrayIndex(token: string, last: number): number {
  const index = ARRAY_INDEX.test(token) ? Number(token) : Infinity;
  if (index > last) throw new KvError('INVALID_BODY');
  return index;
}

/** A member of the object's own: not what JavaScript gives every object. */
export function ownMember(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Assigned, `__proto__` would be no member. */
export function setMember(object: JsonObject, name: string, value: JsonValue): void {
  Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
