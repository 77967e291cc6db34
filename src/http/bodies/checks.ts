import type { JsonValue } from '../../json/json.types.js';
import type { Check } from './members.js';

type Member = JsonValue | undefined;

export function isString(member: Member): member is string {
  return typeof member === 'string';
}

export function isBoolean(member: Member): member is boolean {
  return typeof member === 'boolean';
}

export function isNull(member: Member): member is null {
  return member === null;
}

/** An array of `min` to `max` items. The items are checked where they are read. */
export function isList(min: number, max: number): Check<JsonValue[]> {
  return (member): member is JsonValue[] =>
    Array.isArray(member) && member.length >= min && member.length <= max;
}

/** One of a few words. */
export function isWord<Word extends string>(...words: readonly Word[]): Check<Word> {
  return (member): member is Word => words.includes(member as Word);
}

export function either<A, B>(first: Check<A>, second: Check<B>): Check<A | B> {
  return (member): member is (A | B) & Member => first(member) || second(member);
}

/** A member that may be left out. `null` does not count as left out. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (member): member is (T | undefined) & Member => member === undefined || check(member);
}
