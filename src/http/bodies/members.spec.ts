import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../json/json.types.js';
import { either, isBoolean, isList, isNull, isString, isWord, optional } from './checks.js';
import { readMembers } from './members.js';
import type { Check } from './members.js';

const invalid = expect.objectContaining({ code: 'INVALID_BODY' }) as Error;

describe('a check of a member', () => {
  const SAMPLES = [undefined, null, true, '', 'a', 'b', 0, [], [1], [1, 2], [1, 2, 3], {}];
  it.each<[string, Check<unknown>, (JsonValue | undefined)[]]>([
    ['a string', isString, ['', 'a', 'b']],
    ['a boolean', isBoolean, [true]],
    ['null', isNull, [null]],
    ['a list of one or two', isList(1, 2), [[1], [1, 2]]],
    ['one of two words', isWord('a', 'c'), ['a']],
    ['either of two', either(isNull, isBoolean), [null, true]],
    ['one that may be left out', optional(isBoolean), [undefined, true]],
  ])('accepts %s, and nothing else', (_name, check, accepted) => {
    expect(SAMPLES.filter((sample) => check(sample))).toEqual(accepted);
  });
});

describe('the members of a document', () => {
  const MEMBERS = { name: isString, flag: optional(isBoolean) };
  const read = (document: JsonValue): object => readMembers<object>(document, MEMBERS);

  it.each<JsonValue>([{ name: 'a' }, { flag: true, name: 'a' }])('are read from %j', (document) => {
    expect(read(document)).toEqual(document);
  });

  it.each<JsonValue>([
    null,
    'a',
    [],
    [{ name: 'a' }],
    {},
    { name: 5 },
    { flag: true },
    { name: 'a', flag: null },
    { name: 'a', more: 1 },
    { name: 'a', constructor: 'b' },
    JSON.parse('{"name":"a","__proto__":{"flag":true}}') as JsonValue,
  ])('are refused in %j', (document) => {
    expect(() => read(document)).toThrow(invalid);
  });

  it('are never inherited ones', () => {
    expect(() => readMembers<object>({}, { toString: isString } as object)).toThrow(invalid);
  });

  it('are refused where the table does not know an optional one', () => {
    expect(() => readMembers<{ a?: string }>({}, { a: undefined } as never)).toThrow(invalid);
  });
});
