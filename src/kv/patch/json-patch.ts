import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { KvError } from '../kv.errors.js';
import { isEqual } from './is-equal.js';
import { arrayIndex, asContainer, ownMember, parsePointer, setMember, valueAt } from './pointer.js';

/** Values that `copy` may make: without a bound, copies of the whole into itself double it with each operation. */
const MAX_COPIED_VALUES = 100_000;

/** Carries out one operation on the document, and returns the document that comes of it. */
type Operation = (document: JsonValue, path: string[], operation: JsonObject, budget: Budget) => JsonValue;

interface Budget {
  left: number;
}

const OPERATIONS: Readonly<Record<string, Operation>> = {
  add: (document, path, operation) => add(document, path, clone(valueOf(operation))),
  remove,
  replace: (document, path, operation) => {
    valueAt(document, path);
    return path.length === 0 ? clone(valueOf(operation)) : put(document, path, clone(valueOf(operation)));
  },
  move: (document, path, { from: pointer }) => {
    const from = parsePointer(pointer);
    const moved = valueAt(document, from);
    if (path.length === from.length && from.every((token, i) => token === path[i])) return document;
    // Into itself it cannot be moved (RFC 6902 §4.4).
    if (from.every((token, i) => token === path[i])) throw new KvError('INVALID_BODY');
    return add(remove(document, from), path, moved);
  },
  copy: (document, path, { from }, budget) =>
    add(document, path, clone(valueAt(document, parsePointer(from)), budget)),
  test: (document, path, operation) => {
    const expected = valueOf(operation);
    if (!isEqual(valueAt(document, path), expected)) throw new KvError('PATCH_TEST_FAILED');
    return document;
  },
};

/**
 * JSON Patch (RFC 6902): all of its operations in their order, or none. The document given is not used again.
 * @throws {KvError} PATCH_TEST_FAILED; VALUE_TOO_LARGE; INVALID_BODY for what is no patch, or does not fit the document.
 */
export function applyJsonPatch(document: JsonValue, patch: JsonValue): JsonValue {
  if (!Array.isArray(patch)) throw new KvError('INVALID_BODY');
  const budget = { left: MAX_COPIED_VALUES };
  return patch.reduce<JsonValue>((patched, operation) => {
    if (typeof operation !== 'object' || operation === null || Array.isArray(operation)) {
      throw new KvError('INVALID_BODY');
    }
    const name = operation['op'];
    if (typeof name !== 'string' || !Object.hasOwn(OPERATIONS, name)) throw new KvError('INVALID_BODY');
    return OPERATIONS[name]?.(patched, parsePointer(operation['path']), operation, budget) ?? patched;
  }, document);
}

function add(document: JsonValue, path: readonly string[], value: JsonValue): JsonValue {
  if (path.length === 0) return value;
  const container = asContainer(valueAt(document, path.slice(0, -1)));
  const token = path.at(-1) ?? '';
  if (!Array.isArray(container)) setMember(container, token, value);
  else if (token === '-') container.push(value);
  else container.splice(arrayIndex(token, container.length), 0, value);
  return document;
}

/** Puts a value where one is. */
function put(document: JsonValue, path: readonly string[], value: JsonValue): JsonValue {
  const container = asContainer(valueAt(document, path.slice(0, -1)));
  const token = path.at(-1) ?? '';
  if (Array.isArray(container)) container[arrayIndex(token, container.length - 1)] = value;
  else setMember(container, token, value);
  return document;
}

function remove(document: JsonValue, path: readonly string[]): JsonValue {
  valueAt(document, path);
  if (path.length === 0) return null;
  const container = asContainer(valueAt(document, path.slice(0, -1)));
  const token = path.at(-1) ?? '';
  if (Array.isArray(container)) container.splice(arrayIndex(token, container.length - 1), 1);
  else delete container[token];
  return document;
}

/** A value that an operation must have; null is one. */
function valueOf(operation: JsonObject): JsonValue {
  const value = ownMember(operation, 'value');
  if (value === undefined) throw new KvError('INVALID_BODY');
  return value;
}

function clone(value: JsonValue, budget: Budget = { left: Infinity }): JsonValue {
  if (--budget.left < 0) throw new KvError('VALUE_TOO_LARGE');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => clone(item, budget));
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, clone(member, budget)]));
}
