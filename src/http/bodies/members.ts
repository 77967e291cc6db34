import { isObject } from '../../json/is-object.js';
import type { JsonValue } from '../../json/json.types.js';
import { KvError } from '../../entries/kv.errors.js';

/** Whether a member is what it must be. A member that is absent is `undefined`. */
export type Check<T> = (member: JsonValue | undefined) => member is T & (JsonValue | undefined);

/** Which members a JSON object has, and what each must be. An optional member of `T` may be left out, and is then refused. */
export type Members<T> = { readonly [Name in keyof T]: Check<T[Name]> };

/**
 * The members of an object that a client sent. Only own members count: `constructor`, `__proto__` and other names that every
 * JavaScript object answers to are members that no table has.
 * @throws {KvError} INVALID_BODY for what is no object, has a member that the table has not, or has one that does not pass its check.
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
