import { describe, expect, it } from 'vitest';
import { MsgpackWriter } from './msgpack-writer.js';

const hex = (write: (writer: MsgpackWriter) => unknown): string => {
  const writer = new MsgpackWriter(1); // so small that everything makes it grow
  write(writer);
  expect(writer.length).toBe(writer.bytes().length);
  return writer.bytes().toString('hex');
};

describe('MsgpackWriter', () => {
  it.each([
    [0, '00'],
    [0x7f, '7f'],
    [0x80, 'cc80'],
    [0xff, 'ccff'],
    [0x100, 'cd0100'],
    [0xffff, 'cdffff'],
    [0x1_0000, 'ce00010000'],
    [0xffff_ffff, 'ceffffffff'],
    [0x1_0000_0000, 'cf0000000100000000'],
    [Number.MAX_SAFE_INTEGER, 'cf001fffffffffffff'],
    [-1, 'ff'],
    [-0x20, 'e0'],
    [-0x21, 'd0df'],
    [-0x80, 'd080'],
    [-0x81, 'd1ff7f'],
    [-0x8000, 'd18000'],
    [-0x8001, 'd2ffff7fff'],
    [-0x8000_0000, 'd280000000'],
    [-0x8000_0001, 'd3ffffffff7fffffff'],
    [Number.MIN_SAFE_INTEGER, 'd3ffe0000000000001'],
  ])('writes the integer %d in the shortest form', (value, bytes) => {
    expect(hex((writer) => writer.integer(value))).toBe(bytes);
  });

  it.each([
    [0n, 'cf0000000000000000'],
    [2n ** 63n, 'cf8000000000000000'],
    [2n ** 64n - 1n, 'cfffffffffffffffff'],
    [-1n, 'd3ffffffffffffffff'],
    [-(2n ** 63n), 'd38000000000000000'],
  ])('writes the bigint %d in 64 bits', (value, bytes) => {
    expect(hex((writer) => writer.bigint(value))).toBe(bytes);
  });

  it.each([
    [0, 'a0'],
    [1, 'a1'],
    [31, 'bf'],
    [32, 'd920'],
    [33, 'd921'],
    [64, 'd940'],
    [65, 'd941'],
    [255, 'd9ff'],
    [256, 'da0100'],
    [65_535, 'daffff'],
    [65_536, 'db00010000'],
  ])('writes strings of %d bytes with the header %s', (length, header) => {
    const ascii = 'x'.repeat(length);
    expect(hex((writer) => writer.string(ascii))).toBe(header + '78'.repeat(length));
    expect(hex((writer) => writer.wellFormedString(ascii))).toBe(header + '78'.repeat(length));
    expect(hex((writer) => writer.stringOf(Buffer.from(ascii)))).toBe(header + '78'.repeat(length));
    if (length < 2) return;
    const accented = 'é' + 'x'.repeat(length - 2);
    expect(hex((writer) => writer.string(accented))).toBe(header + 'c3a9' + '78'.repeat(length - 2));
  });

  it.each(['\ud800', 'a\udc00', '\ude00\ud83d', `${'x'.repeat(300)}\ud83d`])(
    'writes nothing for the lone surrogate in %j',
    (value) => {
      const writer = new MsgpackWriter().nil();
      expect(writer.wellFormedString(value)).toBe(false);
      expect(writer.bytes().toString('hex')).toBe('c0');
    },
  );

  it('says that it wrote a well-formed string', () => {
    expect(new MsgpackWriter().wellFormedString('a')).toBe(true);
    expect(new MsgpackWriter().wellFormedString('😀'.repeat(100))).toBe(true);
  });

  it.each([
    [0, '90', '80'],
    [15, '9f', '8f'],
    [16, 'dc0010', 'de0010'],
    [65_535, 'dcffff', 'deffff'],
    [65_536, 'dd00010000', 'df00010000'],
  ])('writes headers of %d items', (count, array, map) => {
    expect(hex((writer) => writer.arrayHeader(count))).toBe(array);
    expect(hex((writer) => writer.mapHeader(count))).toBe(map);
  });

  it('writes nil, booleans, doubles and ready bytes', () => {
    expect(
      hex((writer) => writer.nil().boolean(true).boolean(false).double(-0).raw(Buffer.from('01', 'hex'))),
    ).toBe('c0c3c2cb800000000000000001');
  });

  it('begins anew after reset, and what it gave out stays', () => {
    const writer = new MsgpackWriter(8);
    const first = writer.string('x'.repeat(1000)).bytes();
    const second = writer.reset().integer(1).bytes();
    expect(first.toString('latin1', 3)).toBe('x'.repeat(1000));
    expect(second.toString('hex')).toBe('01');
    expect(writer.length).toBe(1);
  });

  it.each([0, 1, 63, 64, 65, 300])('copies %d bytes of another buffer', (count) => {
    const source = Buffer.from(Array.from({ length: 400 }, (_, i) => i % 256));
    const expected = Buffer.concat([Buffer.from([0xc0]), source.subarray(7, 7 + count)]).toString('hex');
    const writer = new MsgpackWriter(1);
    writer.nil().copy(source, 7, 7 + count);
    expect([writer.bytes().toString('hex'), writer.length]).toEqual([expected, count + 1]);
  });

  it('shows what was written without a copy', () => {
    const writer = new MsgpackWriter().integer(1);
    const view = writer.view();
    expect(view.toString('hex')).toBe('01');
    writer.reset().integer(2);
    expect(view.toString('hex')).toBe('02');
  });

  it('keeps its memory for the next document, but not that of an unusually large one', () => {
    const memory = (writer: MsgpackWriter): ArrayBufferLike => writer.view().buffer;
    const writer = new MsgpackWriter(8).raw(Buffer.alloc(8 * 16));
    const kept = memory(writer);
    expect(memory(writer.reset())).toBe(kept);
    writer.raw(Buffer.alloc(8 * 16 + 1));
    expect(memory(writer.reset()).byteLength).toBe(8);
  });
});
