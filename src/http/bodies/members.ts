import { isObject } from '../../json/is-object.js';
import type { JsonValue } from '../../json/json.types.js';
import { KvError } from '../../entries/kv.errors.js';

/** Whether a member has the required form. An absent member is `undefined`. */
export type Check<T> = (member: JsonValue | undefined) => member is T & (JsonValue | undefined);

/**
 * The members of a JSON object and the check of each. An optional member of `T` that is missing in this table is
 * refused.
 */
export type Members<T> = { readonly [Name in keyof T]: Check<T[Name]> };

/**
 * Reads the members of an object that a client sent. Only own properties are looked up: `constructor`, `__proto__`
 * and other names that every JavaScript object inherits are unknown members.
 * @throws {KvError} INVALID_BODY where the document is no object, has an unknown member, or has a member that fails
 * its check.
 */
export function readMembers<T extends object>(document: JsonValue, members: Members<T>): T {
  if (!isObject(document)) throw new KvError('INVALID_BODY');
  const read: Record<string, JsonValue> = {};
  let present = 0;
  for (const [name, check] of Object.entries<Check<unknown> | undefined>(members)) {
    const member = Object.hasOwn(document, name) ? document[name] : undefined;
    if (!check?.(member)) throw new KvError('INVALID_BODY');
    if (member === undefined) continue;
    read[name] = member;
    present++;
  }
  if (present < Object.keys(document).length) throw new KvError('INVALID_BODY');
  return read as T;
}
