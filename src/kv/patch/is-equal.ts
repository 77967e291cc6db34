import type { JsonValue } from '../../json/json.types.js';
import { ownMember } from './pointer.js';

/** Equal as JSON values: numbers by what they are, objects whatever the order of their members (RFC 6902 §4.6). */
export function isEqual(a: JsonValue, b: JsonValue): boolean {
  if (isNumber(a) && isNumber(b)) return a == b;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => isEqual(item, b[i] ?? null));
  }
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => {
      const [ours, theirs] = [ownMember(a, name), ownMember(b, name)];
      return ours !== undefined && theirs !== undefined && isEqual(ours, theirs);
    })
  );
}

function isNumber(value: JsonValue): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}
