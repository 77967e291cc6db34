import { describe, expect, it } from 'vitest';
import { InvalidJsonError } from './json.errors.js';
import { parseJson } from './parse-json.js';

const parse = (text: string): unknown => parseJson(Buffer.from(text));

describe('parseJson', () => {
  it.each([
    ['9007199254740991', 9007199254740991],
    ['-9007199254740991', -9007199254740991],
    ['9007199254740992', 9007199254740992n],
    ['-9007199254740992', -9007199254740992n],
    ['9223372036854775808', 9223372036854775808n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615', 18446744073709551615n],
    ['1152921504606846976', 1152921504606846976n],
    [' \t\n\r18446744073709551615 ', 18446744073709551615n],
    ['[1,9007199254740993]', [1, 9007199254740993n]],
    [
      '[[9007199254740993],{"a":{"b":9007199254740993}}]',
      [[9007199254740993n], { a: { b: 9007199254740993n } }],
    ],
    ['{"a"\n:\n9007199254740993\n}', { a: 9007199254740993n }],
    ['-0', -0],
    ['0', 0],
    ['1.0', 1],
    ['1e20', 1e20],
    ['1.152921504606847e18', 1.152921504606847e18],
    ['9007199254740993.0', 9007199254740992],
    ['9007199254740993e0', 9007199254740992],
    ['0.12345678901234567890', 0.12345678901234568],
    ['1e-400', 0],
    ['[1e-9007199254740993,0e9007199254740993,9007199254740993]', [0, 0, 9007199254740993n]],
    ['1.7976931348623157e308', Number.MAX_VALUE],
    ['1e0000000000000000000308', 1e308],
    [`${'1'.repeat(300)}.5`, Number('1'.repeat(300))],
    ['"9007199254740993"', '9007199254740993'],
    ['["\\" 9007199254740993 \\\\",9007199254740993]', ['" 9007199254740993 \\', 9007199254740993n]],
    [
      '["a, 99999999999999999999999 ,b",-9007199254740993]',
      ['a, 99999999999999999999999 ,b', -9007199254740993n],
    ],
    ['[" 1e999 "]', [' 1e999 ']],
    ['{"9007199254740993":1}', { '9007199254740993': 1 }],
    ['"\ufeff\u2028\u007f"', '\ufeff\u2028\u007f'],
    ['"\\u0000\\ud83d\\ude00"', '\0😀'],
    ['{"a":1,"b":2,"a":3}', { a: 3, b: 2 }],
    ['{"a":1e999,"a":18446744073709551616,"a":9007199254740993,"a":1}', { a: 1 }],
    ['[]', []],
    ['{}', {}],
    ['[null,{"a":null},9007199254740993]', [null, { a: null }, 9007199254740993n]],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toStrictEqual(value);
  });

  it.each([
    ['nothing', ''],
    ['white space', ' '],
    ['a byte order mark', '\ufeff{}'],
    ['a no-break space', '\u00a0{}'],
    ['a form feed', '\f{}'],
    ['an integer above 2^64 − 1', '18446744073709551616'],
    ['an integer below −2^63', '-9223372036854775809'],
    ['an integer of 21 digits', '{"a":100000000000000000000}'],
    ['a negative integer of 21 digits', '-100000000000000000000'],
    ['an integer of 400 digits', '9'.repeat(400)],
    ['a number that overflows', '1e400'],
    ['a number that overflows downwards', '[{"a":-1e309}]'],
    ['a number that overflows with a plus', '1E+309'],
    ['a number that overflows with leading zeros', '1e0000309'],
    ['a number that overflows barely', '1.7976931348623159e308'],
    ['a number that overflows by its integer part', `${'1'.repeat(310)}.5`],
    ['a number that overflows by both', `[${'1'.repeat(250)}e99]`],
    ['leading zeros', '01'],
    ['leading zeros of a long integer', '09007199254740993'],
    ['a long integer as a name', '{9007199254740993:1}'],
    ['a long integer as a name before space', '{9007199254740993 \n:1}'],
    ['a long integer after a string', '["a"9007199254740993]'],
    ['a long integer after an integer', '[1 9007199254740993]'],
    ['a long integer with a plus', '[+9007199254740993]'],
    ['a long integer with two signs', '[--9007199254740993]'],
    ['a long integer without a fraction', '[9007199254740993.]'],
    ['a fraction without an integer', '[.9007199254740993]'],
    ['a trailing comma', '[1,]'],
    ['a comment', '[1]//'],
    ['a second value', '{}{}'],
    ['NaN', 'NaN'],
    ['Infinity', '-Infinity'],
    ['a name without quotes', '{a:1}'],
    ['single quotes', "{'a':1}"],
    ['a raw line feed in a string', '"\n"'],
    ['a raw NUL', '"\0"'],
    ['an unknown escape', '"\\x41"'],
    ['a short escape', '"\\u12"'],
    ['an open string', '["9007199254740993'],
  ])('refuses %s', (_, text) => {
    expect(() => parse(text)).toThrow(InvalidJsonError);
  });

  it.each([
    ['a cut sequence', [0xe2, 0x82]],
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a code point above 10FFFF', [0xf4, 0x90, 0x80, 0x80]],
    ['Latin-1', [0xe9]],
  ])('refuses %s for UTF-8', (_, inner) => {
    expect(() => parseJson(Buffer.from([0x22, ...inner, 0x22]))).toThrow(new InvalidJsonError('not UTF-8'));
  });

  it('keeps names that mean something to JavaScript as own members', () => {
    const names = ['__proto__', 'constructor', 'toJSON', 'then', 'hasOwnProperty', ''];
    const text = `{${names.map((name) => `"${name}":9007199254740993`).join(',')}}`;
    const value = parseJson(Buffer.from(text)) as object;
    expect(Object.entries(value)).toEqual(names.map((name) => [name, 9007199254740993n]));
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('finds an unsafe integer and an overflow at whatever offset they stand', () => {
    for (let spaces = 0; spaces < 40; spaces++) {
      expect(parse(`[${' '.repeat(spaces)}9007199254740993]`)).toEqual([9007199254740993n]);
      expect(parse(`[7,${'7,'.repeat(spaces)}${' '.repeat(spaces % 3)}-9007199254740993]`)).toContain(
        -9007199254740993n,
      );
      expect(() => parse(`[12${' '.repeat(spaces)},1e309]`)).toThrow(InvalidJsonError);
    }
  });

  it.each([
    ['[1', 'not JSON'],
    ['18446744073709551616', 'integer out of range'],
    ['1e309', 'number out of range'],
    ['[-1e309]', 'number out of range'],
  ])('says of %s why it is refused', (text, message) => {
    expect(() => parse(text)).toThrow(new InvalidJsonError(message));
    expect(() => parse(text)).toThrow(expect.objectContaining({ name: 'InvalidJsonError' }) as Error);
  });

  it('refuses what is nested deeper than it may be, in a duplicate that does not win too', () => {
    const nested = Buffer.from('{"a":[[]],"a":1}');
    expect(parseJson(nested, 3)).toEqual({ a: 1 });
    expect(() => parseJson(nested, 2)).toThrow(new InvalidJsonError('nested too deep'));
  });

  it('never quotes the text in an error, for errors are logged', () => {
    const text = '{"password":secret}';
    expect(() => JSON.parse(text) as unknown).toThrow('secret');
    expect(() => parse(text)).toThrow(/^not JSON$/);
    expect(() => parse(text)).not.toThrow(expect.objectContaining({ cause: expect.anything() as unknown }));
  });
});
