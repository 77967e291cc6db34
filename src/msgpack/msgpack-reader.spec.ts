import { describe, expect, it } from 'vitest';
import { MsgpackFormatError, MsgpackReader } from './msgpack-reader.js';

const reader = (hex: string): MsgpackReader => new MsgpackReader(Buffer.from(hex, 'hex'));
const filled = (header: string, bytes: number): string => header + '78'.repeat(bytes);

describe('MsgpackReader', () => {
  it.each<[string, number | bigint]>([
    ['00', 0],
    ['7f', 127],
    ['ff', -1],
    ['e0', -32],
    ['cc80', 128],
    ['ccff', 255],
    ['cd0100', 256],
    ['cdffff', 65_535],
    ['ce00010000', 65_536],
    ['ceffffffff', 0xffff_ffff],
    ['cf001fffffffffffff', Number.MAX_SAFE_INTEGER],
    ['cf0020000000000000', 2n ** 53n],
    ['cfffffffffffffffff', 2n ** 64n - 1n],
    ['d0df', -33],
    ['d07f', 127],
    ['d18000', -32_768],
    ['d280000000', -0x8000_0000],
    ['d3ffe0000000000001', Number.MIN_SAFE_INTEGER],
    ['d3ffe0000000000000', -(2n ** 53n)],
    ['d38000000000000000', -(2n ** 63n)],
  ])('reads the integer %s', (hex, value) => {
    const input = reader(hex);
    expect(input.integer64()).toBe(value);
    expect(input.offset).toBe(input.buffer.length);
    if (typeof value === 'number') expect(reader(hex).integer()).toBe(value);
    else expect(() => reader(hex).integer()).toThrow(new MsgpackFormatError('integer out of the safe range'));
  });

  it.each([
    ['a0', 0],
    ['bf', 31],
    ['d920', 32],
    ['d9ff', 255],
    ['da0100', 256],
    ['daffff', 65_535],
    ['db00010000', 65_536],
  ])('reads a string with the header %s', (header, bytes) => {
    expect(reader(filled(header, bytes)).string()).toBe('x'.repeat(bytes));
    const input = reader(filled(header, bytes));
    expect(input.stringHeader()).toBe(bytes);
    expect(input.offset).toBe(header.length / 2);
    if (bytes === 0) return;
    expect(() => reader(filled(header, bytes - 1)).string()).toThrow(MsgpackFormatError);
    expect(() => reader(filled(header, bytes - 1)).stringHeader()).toThrow(MsgpackFormatError);
  });

  it.each([
    ['90', '80', 0],
    ['9f', '8f', 15],
    ['dc0010', 'de0010', 16],
    ['dd00010000', 'df00010000', 65_536],
  ])('reads the headers %s and %s', (array, map, count) => {
    expect(reader(array).arrayHeader()).toBe(count);
    expect(reader(map).mapHeader()).toBe(count);
    expect(() => reader(array).mapHeader()).toThrow(MsgpackFormatError);
    expect(() => reader(map).arrayHeader()).toThrow(MsgpackFormatError);
  });

  it('reads floats of both widths', () => {
    const both = reader('ca3fc00000cb3ff800000000000001');
    expect([both.double(), both.double(), both.integer(), both.left]).toEqual([1.5, 1.5, 1, 0]);
    expect(reader('cb3ff8000000000000').double()).toBe(1.5);
    expect(reader('cb8000000000000000').double()).toBe(-0);
    expect(reader('cb7ff8000000000000').double()).toBeNaN();
  });

  it('reads booleans, and consumes nil only where there is one', () => {
    const input = reader('c3c0c2');
    expect([input.boolean(), input.nil(), input.nil(), input.boolean()]).toEqual([true, true, false, false]);
  });

  it('looks at the next byte without consuming it', () => {
    const input = reader('c0');
    expect([input.peek(), input.peek(), input.offset]).toEqual([0xc0, 0xc0, 0]);
    input.skip();
    expect(() => input.peek()).toThrow(MsgpackFormatError);
  });

  it.each([
    ['a fixint', '7f'],
    ['a negative fixint', 'e0'],
    ['nil', 'c0'],
    ['false', 'c2'],
    ['true', 'c3'],
    ['a uint8', 'cc00'],
    ['a uint16', 'cd0000'],
    ['a uint32', 'ce00000000'],
    ['a uint64', 'cf0000000000000000'],
    ['an int8', 'd000'],
    ['an int16', 'd10000'],
    ['an int32', 'd200000000'],
    ['an int64', 'd30000000000000000'],
    ['a float32', 'ca00000000'],
    ['a float64', 'cb0000000000000000'],
    ['a fixstr', filled('a3', 3)],
    ['a str8', filled('d903', 3)],
    ['a str16', filled('da0003', 3)],
    ['a str32', 'db00000003dcdcdc'],
    ['a bin8', filled('c403', 3)],
    ['a bin16', filled('c50003', 3)],
    ['a bin32', filled('c600000003', 3)],
    ['an ext8', filled('c703', 4)],
    ['an ext16', filled('c80003', 4)],
    ['an ext32', filled('c900000005', 6)],
    ['a fixext1', filled('d4', 2)],
    ['a fixext2', filled('d5', 3)],
    ['a fixext4', filled('d6', 5)],
    ['a fixext8', filled('d7', 9)],
    ['a fixext16', filled('d8', 17)],
    ['a fixarray', '92a17801'],
    ['an array16', 'dc000201c0'],
    ['an array32', 'dd0000000201c0'],
    ['a fixmap', '82a1780102c0'],
    ['a map16', 'de000101c0'],
    ['a map32', 'df0000000201c002c0'],
    ['nested containers', '9381019080a178'],
  ])('skips %s to its last byte', (_, hex) => {
    const input = reader(`${hex}01`);
    input.skip();
    expect(input.offset).toBe(hex.length / 2);
    expect(() => reader(hex.slice(0, -2)).skip()).toThrow(MsgpackFormatError);
  });

  it('skips a million nested arrays without overflowing the stack', () => {
    const input = new MsgpackReader(Buffer.concat([Buffer.alloc(1_000_000, 0x91), Buffer.from([0xc0])]));
    input.skip();
    expect(input.offset).toBe(1_000_001);
  });

  it.each<[string, (input: MsgpackReader) => unknown, string, string]>([
    ['an integer', (input) => input.integer64(), 'a0', 'expected an integer, found 0xa0'],
    ['an integer', (input) => input.integer64(), '80', 'expected an integer, found 0x80'],
    ['an integer', (input) => input.integer(), 'ca00000000', 'expected an integer, found 0xca'],
    ['a string', (input) => input.string(), '01', 'expected a string, found 0x1'],
    ['a string', (input) => input.string(), 'd801', 'expected a string, found 0xd8'],
    ['a string', (input) => input.string(), 'dc0000', 'expected a string, found 0xdc'],
    ['a boolean', (input) => input.boolean(), 'c0', 'expected a boolean'],
    ['a float', (input) => input.double(), '01'.repeat(9), 'expected a float, found 0x1'],
    ['an array', (input) => input.arrayHeader(), 'c0', 'expected an array, found 0xc0'],
    ['a map', (input) => input.mapHeader(), 'c0', 'expected a map, found 0xc0'],
    ['an integer', (input) => input.integer64(), 'cf00', 'cut short'],
    ['a float', (input) => input.double(), 'cb00', 'cut short'],
    ['a string', (input) => input.stringHeader(), 'a278', 'cut short'],
    ['a string', (input) => input.stringHeader(), 'd9', 'cut short'],
    ['a header', (input) => input.arrayHeader(), 'dc00', 'cut short'],
    ['a byte', (input) => input.peek(), '', 'cut short'],
  ])('refuses what is not %s, or is cut short', (_, read, hex, message) => {
    expect(() => read(reader(hex))).toThrow(new MsgpackFormatError(message));
    expect(() => read(reader(''))).toThrow(new MsgpackFormatError('cut short'));
  });
});
