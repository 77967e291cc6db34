import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MsgpackFormatError, MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { decodeValue } from './decode-value.js';
import { encodeValue } from './encode-value.js';
import { JsonMeter, mayExceed } from './json-meter.js';
import type { JsonValue } from './json.types.js';

function encode(value: JsonValue): Buffer {
  const writer = new MsgpackWriter();
  encodeValue(writer, value, 128);
  return writer.bytes();
}

const measure = (bytes: Buffer): JsonMeter => new JsonMeter().add(new MsgpackReader(bytes));
const written = (bytes: Buffer): number => Buffer.byteLength(decodeValue(new MsgpackReader(bytes)));

const scalar: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constantFrom<JsonValue>(
    null,
    true,
    false,
    0,
    -0,
    9,
    10,
    99,
    100,
    -1,
    1e15,
    9e15,
    2 ** 53,
    1e20,
    1e-7,
    0.000001,
  ),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }).filter((n) => !Number.isSafeInteger(Number(n))),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('\0', '\u0001', '\b', '\n', '\u001f', '"', '\\', '/', '\u007f', 'é', '😀', 'a'),
  }),
);
const { value: anyValue } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    scalar,
    fc.array(tie('value')),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('value')),
  ),
}));

describe('JsonMeter', () => {
  it('counts exactly the bytes that decodeValue writes', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const bytes = encode(value);
        expect(measure(bytes).bytes).toBe(written(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[JsonValue, number]>([
    [null, 4],
    [true, 4],
    [false, 5],
    [0, 1],
    [9, 1],
    [10, 2],
    [99, 2],
    [100, 3],
    [-1, 2],
    [1.5, 3],
    ['é"', 6],
    [[], 2],
    [[1], 3],
    [[1, 2], 5],
    [{}, 2],
    [{ a: 1 }, 7],
    [{ a: 1, '"': [] }, 15],
  ])('counts %j as %d bytes', (value, bytes) => {
    expect(measure(encode(value)).bytes).toBe(bytes);
  });

  it('counts the integers that Lua has for names', () => {
    const bytes = Buffer.from('8201a161ffa162', 'hex');
    expect(measure(bytes).bytes).toBe(written(bytes));
  });

  it.each<[JsonValue, number]>([
    [1, 0],
    [[], 1],
    [{}, 1],
    [{ a: [], b: { c: [[1]] } }, 4],
    [[[[1]], [2], 3], 3],
  ])('knows the depth of %j', (value, depth) => {
    expect(measure(encode(value)).depth).toBe(depth);
  });

  it.each([
    ['c1', 'no JSON for 0xc1'],
    ['c40161', 'no JSON for 0xc4'],
    ['cb7ff8000000000000', 'a number is not finite'],
    ['9201', 'cut short'],
    ['91'.repeat(128) + '90', 'nested too deep'],
  ])('refuses %s', (hex, message) => {
    expect(() => measure(Buffer.from(hex, 'hex'))).toThrow(new MsgpackFormatError(message));
  });

  it('takes data that is nested 128 deep', () => {
    expect(measure(Buffer.from('91'.repeat(127) + '90', 'hex'))).toMatchObject({ bytes: 256, depth: 128 });
  });
});

describe('mayExceed', () => {
  it('is wrong about what may not, so that most values need not be counted', () => {
    expect([mayExceed(10, 59), mayExceed(10, 60), mayExceed(100, 10_000)]).toEqual([true, false, false]);
  });

  it('is never wrong about what fits', () => {
    const worst = fc.oneof(
      anyValue,
      fc.array(fc.constantFrom<JsonValue>(null, false, -32, [], {}, '\u0001\u0001', '\u0001'.repeat(40)), {
        size: 'large',
      }),
      fc.string({ unit: fc.constant('\u0001'), size: 'large' }),
    );
    fc.assert(
      fc.property(worst, (value) => {
        const bytes = encode({ '': value });
        expect(mayExceed(bytes.length, written(bytes) - 1)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
