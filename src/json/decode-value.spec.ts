import { describe, expect, it } from 'vitest';
import { MsgpackFormatError, MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { decodeValue } from './decode-value.js';

const decode = (hex: string): string => decodeValue(new MsgpackReader(Buffer.from(hex, 'hex')));
const ofDouble = (value: number): string =>
  decodeValue(new MsgpackReader(new MsgpackWriter().double(value).bytes()));
const ofString = (value: string): string =>
  decodeValue(new MsgpackReader(new MsgpackWriter().string(value).bytes()));

describe('decodeValue', () => {
  it.each([
    ['nil', 'c0', 'null'],
    ['false', 'c2', 'false'],
    ['true', 'c3', 'true'],
    ['a fixint', '7f', '127'],
    ['a negative fixint', 'e0', '-32'],
    ['a uint8', 'ccff', '255'],
    ['a uint16', 'cdffff', '65535'],
    ['a uint32', 'ceffffffff', '4294967295'],
    ['a uint64', 'cfffffffffffffffff', '18446744073709551615'],
    ['a safe uint64', 'cf0000000000000001', '1'],
    ['an int8', 'd080', '-128'],
    ['an int16', 'd18000', '-32768'],
    ['an int32', 'd280000000', '-2147483648'],
    ['an int64', 'd38000000000000000', '-9223372036854775808'],
    ['a positive int64', 'd37fffffffffffffff', '9223372036854775807'],
    ['a float32', 'ca3fc00000', '1.5'],
    ['a float32 of −0', 'ca80000000', '-0'],
    ['a float64', 'cb3ff8000000000000', '1.5'],
    ['an empty map', '80', '{}'],
    ['an empty map16', 'de0000', '{}'],
    ['an empty map32', 'df00000000', '{}'],
    ['an empty array', '90', '[]'],
    ['an empty array16', 'dc0000', '[]'],
    ['an empty array32', 'dd00000000', '[]'],
    ['an array', '9301a1619180', '[1,"a",[{}]]'],
    ['a map', '82a16101a1629102', '{"a":1,"b":[2]}'],
    ['a name with a quote', '81a12201', '{"\\"":1}'],
    ['an integer for a name', '8201a161ffa162', '{"1":"a","-1":"b"}'],
    ['a wide integer for a name', '81cfffffffffffffffff00', '{"18446744073709551615":0}'],
    ['an empty name', '81a000', '{"":0}'],
    ['a str8', 'd90161', '"a"'],
    ['a str16', 'da000161', '"a"'],
    ['a str32', 'db0000000161', '"a"'],
  ])('prints %s', (_, hex, json) => {
    expect(decode(hex)).toBe(json);
  });

  it.each([
    [0, '0'],
    [-0, '-0'],
    [1, '1'],
    [0.1, '0.1'],
    [5e-324, '5e-324'],
    [Number.MAX_VALUE, '1.7976931348623157e+308'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [2 ** 53, '9.007199254740992e+15'],
    [-(2 ** 53), '-9.007199254740992e+15'],
    [2 ** 60, '1.152921504606847e+18'],
    [1e20, '1e+20'],
  ])('prints the double %s as %s', (value, json) => {
    expect(ofDouble(value)).toBe(json);
    expect(JSON.parse(json)).toBe(value);
  });

  it('escapes each character as RFC 8259 demands, and no other', () => {
    for (let unit = 0; unit <= 0x2100; unit++) {
      const value = `a${String.fromCharCode(unit)}b`;
      expect(ofString(value)).toBe(JSON.stringify(value));
    }
  });

  it.each([1, 20, 70, 5_000])('prints a string of %d characters, plain and escaped', (length) => {
    for (const unit of ['a', 'é', '😀', '\0', '"', '\\', 'a\n', 'é\u0001x']) {
      const value = unit.repeat(length);
      expect(ofString(value)).toBe(JSON.stringify(value));
    }
  });

  it('advances past the value, and past nothing else', () => {
    const reader = new MsgpackReader(Buffer.from('c081a16101a16203', 'hex'), 1);
    expect(decodeValue(reader)).toBe('{"a":1}');
    expect(reader.offset).toBe(5);
    expect(decodeValue(reader)).toBe('"b"');
    expect(decodeValue(reader)).toBe('3');
  });

  it('prints the next value whole after one that failed', () => {
    expect(() => decode('92a1e9c1')).toThrow(MsgpackFormatError);
    expect(decode('91a161')).toBe('["a"]');
  });

  it.each([
    ['nothing', '', 'cut short'],
    ['the unused code', 'c1', 'no JSON for 0xc1'],
    ['binary', 'c40161', 'no JSON for 0xc4'],
    ['an extension', 'd40100', 'no JSON for 0xd4'],
    ['an extension of variable length', 'c7010100', 'no JSON for 0xc7'],
    ['NaN', 'cb7ff8000000000000', 'a number is not finite'],
    ['Infinity', 'cb7ff0000000000000', 'a number is not finite'],
    ['-Infinity in a float32', 'caff800000', 'a number is not finite'],
    ['a boolean for a name', '81c301', 'no name for 0xc3'],
    ['nil for a name', '81c001', 'no name for 0xc0'],
    ['an array for a name', '819001', 'no name for 0x90'],
    ['a double for a name', '81cb3ff800000000000001', 'no name for 0xcb'],
    ['a string cut short', 'a26', 'cut short'],
    ['an integer cut short', 'cf00', 'cut short'],
    ['a double cut short', 'cb00', 'cut short'],
    ['an array cut short', '9201', 'cut short'],
    ['an array that claims four thousand million items', 'ddffffffff01', 'cut short'],
    ['a map cut short', '81a161', 'cut short'],
    ['a string that is not UTF-8', 'a1e9', 'a string is not UTF-8'],
    ['halves of a character in two strings', '92a2e282a1ac', 'a string is not UTF-8'],
    ['a surrogate in UTF-8', 'a3eda080', 'a string is not UTF-8'],
  ])('refuses %s', (_, hex, message) => {
    expect(() => decode(hex)).toThrow(new MsgpackFormatError(message));
  });

  it('takes foreign data 128 deep, and none deeper', () => {
    expect(decode('91'.repeat(127) + '90')).toBe('['.repeat(128) + ']'.repeat(128));
    expect(decode('81a0'.repeat(127) + '80')).toBe('{"":'.repeat(127) + '{}' + '}'.repeat(127));
    const tooDeep = new MsgpackFormatError('nested too deep');
    expect(() => decode('91'.repeat(128) + '90')).toThrow(tooDeep);
    expect(() => decode('81a0'.repeat(128) + '80')).toThrow(tooDeep);
    expect(() => decode('8100'.repeat(1_000_000))).toThrow(tooDeep);
  });
});
