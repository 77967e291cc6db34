import { randomUUID } from 'node:crypto';
import type { JsonValue } from '../../json/json.types.js';
import { KvError } from '../kv.errors.js';

/**
 * The patch libraries skip or refuse some names, and clone by JSON.stringify, which cannot write a bigint. So names that mean
 * something to JavaScript get a `$` more while a patch is applied, and a bigint is a marked string. None of those names is
 * an array's index, so pointers are translated without looking at what they point to.
 */
const SPECIAL = /^\$*(?:__proto__|constructor|prototype|hasOwnProperty|toJSON)$/;
const ESCAPED = /^\$+(?:__proto__|constructor|prototype|hasOwnProperty|toJSON)$/;

/** Unguessable, so that no text of a client is taken for an integer. */
const INTEGER_MARK = `integer:${randomUUID()}:`;

export function escapeValue(value: JsonValue): JsonValue {
  if (typeof value === 'bigint') return INTEGER_MARK + String(value);
  return mapNames(value, (name) => (SPECIAL.test(name) ? `$${name}` : name), escapeValue);
}

export function unescapeValue(value: JsonValue): JsonValue {
  if (typeof value === 'string' && value.startsWith(INTEGER_MARK))
    return BigInt(value.slice(INTEGER_MARK.length));
  return mapNames(value, (name) => (ESCAPED.test(name) ? name.slice(1) : name), unescapeValue);
}

/**
 * A JSON Patch with its values and pointers translated.
 * @throws {KvError} INVALID_BODY where it has not the form of one (RFC 6902 §3, §4).
 */
export function escapePatch(document: JsonValue): JsonValue[] {
  if (!Array.isArray(document)) throw new KvError('INVALID_BODY');
  return document.map((operation) => {
    if (typeof operation !== 'object' || operation === null || Array.isArray(operation)) {
      throw new KvError('INVALID_BODY');
    }
    const { op, path, from, value } = operation;
    return {
      ...(op !== undefined && { op }),
      ...(path !== undefined && { path: escapePointer(path) }),
      ...(from !== undefined && { from: escapePointer(from) }),
      ...(value !== undefined && { value: escapeValue(value) }),
    };
  });
}

function escapePointer(pointer: JsonValue): JsonValue {
  if (typeof pointer !== 'string') throw new KvError('INVALID_BODY');
  return pointer
    .split('/')
    .map((token) => (SPECIAL.test(token) ? `$${token}` : token))
    .join('/');
}

function mapNames(
  value: JsonValue,
  rename: (name: string) => string,
  map: (value: JsonValue) => JsonValue,
): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(map);
  // fromEntries defines members, so that one called __proto__ is a member like any other.
  return Object.fromEntries(Object.keys(value).map((name) => [rename(name), map(value[name] ?? null)]));
}
