import { describe, expect, it } from 'vitest';
import { KvError } from '../../entries/kv.errors.js';
import { checkIndex, indexOf, isWithin, ownMember, parsePointer } from './pointer.js';

const INVALID = new KvError('INVALID_BODY');

describe('a JSON Pointer', () => {
  // The examples of RFC 6901 §5, and what has no escape.
  it.each([
    ['', []],
    ['/', ['']],
    ['/foo', ['foo']],
    ['/foo/0', ['foo', '0']],
    ['/a~1b', ['a/b']],
    ['/m~0n', ['m~n']],
    ['/~01', ['~1']],
    ['/~10', ['/0']],
    ['/ ', [' ']],
    ['//a/', ['', 'a', '']],
    ['/~0~0/~1~1', ['~~', '//']],
  ])('%j has the tokens %j', (pointer, tokens) => {
    expect(parsePointer(pointer)).toEqual(tokens);
  });

  it.each([undefined, null, 1, ['a'], {}, 'a', 'a/b', '/~', '/~2', '/a~/b', '/~0~'])('is not %j', (text) => {
    expect(() => parsePointer(text)).toThrow(INVALID);
  });

  it('has at most as many tokens as a value can have levels', () => {
    expect(parsePointer('/a'.repeat(128))).toEqual(Array(128).fill('a'));
    expect(() => parsePointer('/a'.repeat(129))).toThrow(INVALID);
  });
});

describe('a path', () => {
  it.each([
    [['a', 'b'], ['a'], true],
    [['a'], ['a'], true],
    [['a'], [], true],
    [['a'], ['a', 'b'], false],
    [['b', 'a'], ['a'], false],
    [['a', 'c'], ['a', 'b'], false],
  ])('%j within %j: %s', (path, outer, within) => {
    expect(isWithin(path, outer)).toBe(within);
  });
});

describe('an index', () => {
  it.each([
    ['0', 0],
    ['10', 10],
    ['9999999999', 9_999_999_999],
    ['10000000000', NaN],
    ['00', NaN],
    ['01', NaN],
    ['-1', NaN],
    ['-', NaN],
    ['1a', NaN],
    ['a1', NaN],
    ['', NaN],
    ['1.0', NaN],
  ])('%j is %s', (token, index) => {
    expect(indexOf(token)).toBe(index);
  });

  it('must not be beyond the last', () => {
    expect([checkIndex('0', 2), checkIndex('2', 2)]).toEqual([0, 2]);
    for (const token of ['3', '-', '']) expect(() => checkIndex(token, 2)).toThrow(INVALID);
  });
});

it('a member is one of the object itself', () => {
  expect(ownMember({ a: 1 }, 'a')).toBe(1);
  for (const name of ['b', 'constructor', '__proto__', 'toString'])
    expect(ownMember({ a: 1 }, name)).toBeUndefined();
});
