import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { MAX_DECODED_DEPTH } from '../../json/decode-value.js';
import { KvError } from '../../entries/kv.errors.js';

const ARRAY_INDEX = /^(?:0|[1-9]\d{0,9})$/;
const BAD_ESCAPE = /~(?![01])/;

/** No value is nested deeper, so a longer path cannot exist. */
const MAX_TOKENS = MAX_DECODED_DEPTH;

/**
 * @throws {KvError} INVALID_BODY where the text is no JSON Pointer (RFC 6901 §3), or has more tokens than any value
 * has levels.
 */
export function parsePointer(pointer: JsonValue | undefined): string[] {
  if (typeof pointer !== 'string' || BAD_ESCAPE.test(pointer)) throw new KvError('INVALID_BODY');
  if (pointer === '') return [];
  if (!pointer.startsWith('/')) throw new KvError('INVALID_BODY');
  const tokens = pointer.slice(1).split('/', MAX_TOKENS + 1);
  if (tokens.length > MAX_TOKENS) throw new KvError('INVALID_BODY');
  if (!pointer.includes('~')) return tokens;
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Whether the path leads to the same place as the outer path, or to a place inside it. */
export function isWithin(path: readonly string[], outer: readonly string[]): boolean {
  return outer.every((token, i) => token === path[i]);
}

/** The array index that a token stands for (RFC 6901 §4), or NaN. */
export function indexOf(token: string): number {
  return ARRAY_INDEX.test(token) ? Number(token) : NaN;
}

/** @throws {KvError} INVALID_BODY where the token is no index from 0 to `last`. */
export function checkIndex(token: string, last: number): number {
  const index = indexOf(token);
  if (!(index <= last)) throw new KvError('INVALID_BODY');
  return index;
}

/** A member of the object itself, not one that every JavaScript object inherits. */
export function ownMember(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
