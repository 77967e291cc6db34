import { describe, expect, it } from 'vitest';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { encodeValue } from './encode-value.js';
import { UnencodableValueError } from './json.errors.js';
import type { JsonValue } from './json.types.js';
import { parseJson } from './parse-json.js';

function encode(value: JsonValue, maxDepth = 64): string {
  const writer = new MsgpackWriter();
  encodeValue(writer, value, maxDepth);
  return writer.bytes().toString('hex');
}

const nested = (depth: number): JsonValue =>
  parseJson(Buffer.from('{"a":'.repeat(depth - 1) + '{}' + '}'.repeat(depth - 1)));
const nestedArray = (depth: number): JsonValue =>
  parseJson(Buffer.from('['.repeat(depth) + ']'.repeat(depth)));

describe('encodeValue', () => {
  it.each<[string, JsonValue, string]>([
    ['null', null, 'c0'],
    ['false', false, 'c2'],
    ['true', true, 'c3'],
    ['an empty object', {}, '80'],
    ['an empty array', [], '90'],
    ['an empty string', '', 'a0'],
    ['a string', 'aé', 'a361c3a9'],
    ['NUL', '\0', 'a100'],
    ['0', 0, '00'],
    ['-0 as a double', -0, 'cb8000000000000000'],
    ['a fraction', 1.5, 'cb3ff8000000000000'],
    ['the greatest safe integer', Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
    ['an integral double beyond it as a double', 2 ** 60, 'cb43b0000000000000'],
    ['the same as an exact integer', 2n ** 60n, 'cf1000000000000000'],
    ['2^64 − 1', 2n ** 64n - 1n, 'cfffffffffffffffff'],
    ['−2^63', -(2n ** 63n), 'd38000000000000000'],
    ['members', { a: 1, b: [null] }, '82a16101a16291c0'],
  ])('writes %s', (_, value, hex) => {
    expect(encode(value)).toBe(hex);
  });

  it('writes own members only, and calls none', () => {
    const called = (): never => {
      throw new Error('called');
    };
    const value = Object.create({ inherited: called }) as Record<string, JsonValue>;
    value['toJSON'] = 1;
    expect(encode(value)).toBe('81a6746f4a534f4e01');
    expect(encode(parseJson(Buffer.from('{"__proto__":1}')))).toBe('81a95f5f70726f746f5f5f01');
  });

  it.each<[string, JsonValue, string]>([
    ['a lone high surrogate', '\ud800', 'lone surrogate'],
    ['a lone low surrogate', 'a\udc00', 'lone surrogate'],
    ['a pair in the wrong order', '\ude00\ud83d', 'lone surrogate'],
    ['a lone surrogate in a long string', `${'x'.repeat(1000)}\ud800`, 'lone surrogate'],
    ['a lone surrogate in a name', { a: { '\ud800': 1 } }, 'lone surrogate'],
    ['NaN', [NaN], 'number out of range'],
    ['Infinity', [Infinity], 'number out of range'],
    ['-Infinity', { a: -Infinity }, 'number out of range'],
    ['an integer above 2^64 − 1', 2n ** 64n, 'integer out of range'],
    ['an integer below −2^63', -(2n ** 63n) - 1n, 'integer out of range'],
  ])('refuses %s', (_, value, message) => {
    expect(() => encode(value)).toThrow(new UnencodableValueError(message));
  });

  it('takes objects and arrays as deep as it may, and none deeper', () => {
    expect(encode('a scalar', 0)).toBe(encode('a scalar'));
    expect(() => encode({}, 0)).toThrow(new UnencodableValueError('nested too deep'));
    expect(encode({}, 1)).toBe('80');
    expect(encode({ a: 1 }, 1)).toBe('81a16101');
    expect(() => encode({ a: {} }, 1)).toThrow(UnencodableValueError);
    expect(() => encode({ a: [] }, 1)).toThrow(UnencodableValueError);
    expect(encode(nested(64))).toMatch(/^(81a161){63}80$/);
    expect(() => encode(nested(65))).toThrow(UnencodableValueError);
    expect(encode(nestedArray(64))).toMatch(/^(91){63}90$/);
    expect(() => encode(nestedArray(65))).toThrow(UnencodableValueError);
    expect(() => encode(nestedArray(500_000))).toThrow(UnencodableValueError);
  });
});
