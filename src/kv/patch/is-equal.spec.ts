import { describe, expect, it } from 'vitest';
import { parseJson } from '../../json/parse-json.js';
import { encodeValue } from '../../json/encode-value.js';
import { MsgpackWriter } from '../../msgpack/msgpack-writer.js';
import { applyPatch } from './apply-patch.js';
import { JSON_PATCH } from './patch.js';

/** Whether `test` finds the first JSON text equal to the second. A change before makes parts of it nodes. */
function isEqual(stored: string, expected: string, before = ''): boolean {
  const writer = new MsgpackWriter();
  encodeValue(writer, parseJson(Buffer.from(`{"v":${stored}}`), 64), 64);
  const patch = `[${before}{"op":"test","path":"/v","value":${expected}}]`;
  try {
    const document = parseJson(Buffer.from(patch), 64);
    applyPatch(writer.bytes(), { mediaType: JSON_PATCH, document }, { maxDepth: 64, maxBodyBytes: 1e6 });
    return true;
  } catch {
    return false;
  }
}

const EQUAL = [
  ['1', '1.0'],
  ['1.5', '15e-1'],
  ['-0', '0'],
  ['12345678901234567890', '12345678901234567890'],
  ['1e300', '1e300'],
  ['"a"', '"a"'],
  ['"é😀"', '"é😀"'],
  ['""', '""'],
  ['null', 'null'],
  ['true', 'true'],
  ['false', 'false'],
  ['[]', '[]'],
  ['{}', '{}'],
  ['[1,"a",[null]]', '[1,"a",[null]]'],
  ['{"a":1,"b":{"c":[true]}}', '{"b":{"c":[true]},"a":1}'],
  ['{"__proto__":1}', '{"__proto__":1}'],
] as const;

const DIFFERENT = [
  ['1', '2'],
  ['1', '"1"'],
  ['"1"', '1'],
  ['1.5', '1.25'],
  ['1.5', '"1.5"'],
  ['12345678901234567890', '12345678901234567891'],
  ['"a"', '"b"'],
  ['"ab"', '"a"'],
  ['"a"', '"abcd"'],
  ['"a"', '["a"]'],
  ['null', 'false'],
  ['null', '0'],
  ['false', 'null'],
  ['true', 'false'],
  ['false', 'true'],
  ['true', '1'],
  ['[1,2]', '[2,1]'],
  ['[1]', '[1,2]'],
  ['[1,2]', '[1]'],
  ['[]', '{}'],
  ['{}', '[]'],
  ['{}', 'null'],
  ['{"a":1}', '{"a":2}'],
  ['{"a":1}', '{"b":1}'],
  ['{"a":1}', '{}'],
  ['{"a":1}', '{"a":1,"b":2}'],
  ['{"a":1,"b":2}', '{"a":1}'],
  ['{"constructor":1}', '{"toString":1}'],
  ['{"a":{"b":1}}', '{"a":{"b":2}}'],
] as const;

it.each(EQUAL)('%s is equal to %s', (stored, expected) => {
  expect([isEqual(stored, expected), isEqual(expected, stored)]).toEqual([true, true]);
});

it.each(DIFFERENT)('%s is not equal to %s', (stored, expected) => {
  expect([isEqual(stored, expected), isEqual(expected, stored)]).toEqual([false, false]);
});

describe.each<[what: string, path: string, stored: string, compared: [string, boolean][]]>([
  [
    'a member',
    '/v/c',
    '{"a":1,"b":[2]}',
    [
      ['{"b":[2],"a":1,"c":{"d":3}}', true],
      ['{"b":[2],"a":1,"c":{"d":4}}', false],
      ['{"b":[2],"a":1,"e":{"d":3}}', false],
      ['{"b":[2],"a":1}', false],
      ['{"b":[2],"a":1,"c":{"d":3},"e":1}', false],
      ['null', false],
      ['[1,[2],{"d":3}]', false],
    ],
  ],
  [
    'an item',
    '/v/-',
    '[1]',
    [
      ['[1,{"d":3}]', true],
      ['[1,{"d":4}]', false],
      ['[1]', false],
      ['[1,{"d":3},2]', false],
      ['{"0":1,"1":{"d":3}}', false],
    ],
  ],
])('after %s was added at %s of %s', (_what, path, stored, compared) => {
  it.each(compared)('it is compared with %s: %s', (expected, equal) => {
    expect(isEqual(stored, expected, `{"op":"add","path":"${path}","value":{"d":3}},`)).toBe(equal);
  });
});
