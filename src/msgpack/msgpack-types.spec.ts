import { describe, expect, it } from 'vitest';
import { isArray, isFloat, isInteger, isMap, isString } from './msgpack-types.js';

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);
const CODES = range(0, 0xff);

describe('the first byte of a value', () => {
  it.each<[string, (code: number) => boolean, number[]]>([
    ['a string', isString, [...range(0xa0, 0xbf), ...range(0xd9, 0xdb)]],
    ['an integer', isInteger, [...range(0x00, 0x7f), ...range(0xcc, 0xd3), ...range(0xe0, 0xff)]],
    ['a map', isMap, [...range(0x80, 0x8f), 0xde, 0xdf]],
    ['an array', isArray, [...range(0x90, 0x9f), 0xdc, 0xdd]],
    ['a float', isFloat, [0xca, 0xcb]],
  ])('tells %s', (_what, isOfType, codes) => {
    expect(CODES.filter(isOfType)).toEqual(codes);
  });
});
