import { describe, expect, it } from 'vitest';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { decodeValue } from './decode-value.js';
import { InvalidJsonError } from './json.errors.js';
import { parseJson } from './parse-json.js';

const MIB = 1_048_576;

describe('parseJson', () => {
  // If the time grew with the square of the length, it would be hours. The bound leaves room for a busy machine.
  it.each([
    ['open arrays', '['.repeat(MIB)],
    [
      'nested arrays around an unsafe integer',
      `${'['.repeat(MIB / 2)}9007199254740993${']'.repeat(MIB / 2)}`,
    ],
    ['open objects', '{"":'.repeat(MIB / 4)],
    ['digits', '1'.repeat(MIB)],
    ['digits with a fraction', `${'1'.repeat(MIB)}.5`],
    ['digits before a name', `{${'1'.repeat(MIB)}:1}`],
    ['zeros', '0'.repeat(MIB)],
    ['an exponent', `1e${'9'.repeat(MIB)}`],
    ['a fraction', `0.${'1'.repeat(MIB)}`],
    ['minus signs', '-'.repeat(MIB)],
    ['backslashes', `"${'\\'.repeat(MIB)}"`],
    ['backslashes before an unsafe integer', `["${'\\'.repeat(MIB)}",9007199254740993]`],
    ['escaped quotes before an unsafe integer', `["${'\\"'.repeat(MIB / 2)}",9007199254740993]`],
    ['a string', `"${'x'.repeat(MIB)}"`],
    ['an open string of integers', `["${' 9007199254740993'.repeat(MIB / 17)}`],
    ['unsafe integers', `[${'9007199254740993,'.repeat(MIB / 17)}1]`],
    ['unsafe integers without commas', `[${'9007199254740993 '.repeat(MIB / 17)}]`],
    ['an unsafe integer and white space', `9007199254740993${' '.repeat(MIB)}`],
    ['an unsafe integer, white space and a colon', `[9007199254740993${' '.repeat(MIB)}:`],
  ])('is done with a MiB of %s in a moment', (_, text) => {
    const bytes = Buffer.from(text);
    const started = performance.now();
    try {
      parseJson(bytes);
    } catch (error) {
      if (!(error instanceof InvalidJsonError)) throw error;
    }
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

describe('decodeValue', () => {
  it('prints a string of 400000 characters, plain and escaped', () => {
    for (const unit of ['a', 'é', '😀', '\0', '"', '\\', 'a\n', 'é\u0001x']) {
      const value = unit.repeat(400_000);
      const bytes = new MsgpackWriter().string(value).bytes();
      expect(decodeValue(new MsgpackReader(bytes))).toBe(JSON.stringify(value));
    }
  });
});
