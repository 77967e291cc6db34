import { describe, expect, it } from 'vitest';
import { scanNumbers } from './scan-numbers.js';

const DIGITS = '1'.repeat(199);

describe('what a text may hold that a double cannot', () => {
  it.each([
    '',
    '1',
    '123',
    '{"a":123,"b":-456.75,"c":[12,0.5]}',
    `${' '.repeat(300)}123`,
    '{"at":"2026-11-25T10:00:00.000Z","price":1299}',
    '[999999999999999]',
    '[1234567890123456]',
    '"x9007199254740993"',
    '[9007199254740993x]',
    '[1.9007199254740993]',
    '1e99',
    '1e-400',
    '"1e309"',
    'e309',
    '+309',
    'a309',
    `${DIGITS}.5`,
  ])('is nothing in %j, so that the native parser is enough', (text) => {
    expect(scanNumbers(Buffer.from(text))).toEqual({ unsafeInteger: false, overflow: false });
  });

  it.each([
    ['9007199254740991', true, false],
    ['-9007199254740993', true, false],
    ['[1,9007199254740993]', true, false],
    ['{"a":9007199254740993}', true, false],
    ['12345678901234567', true, false],
    ['1e309', false, true],
    ['[1,1E309,1]', false, true],
    ['1e+309', false, true],
    [`${DIGITS}1.5`, false, true],
    [`${DIGITS}1`, true, true],
    ['[9007199254740993,1e309]', true, true],
  ])('in %j: an unsafe integer %s, an overflow %s', (text, unsafeInteger, overflow) => {
    for (let spaces = 0; spaces < 3; spaces++) {
      expect(scanNumbers(Buffer.from(' '.repeat(spaces) + text))).toEqual({ unsafeInteger, overflow });
    }
  });
});
