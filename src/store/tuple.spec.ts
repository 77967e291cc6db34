import { describe, expect, it } from 'vitest';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { readEncoded, readTuple, readWritten } from './tuple.js';

/** A row with the value {"n": 1} and the version 7, after a first byte that is none of it. */
function row(expiresAt?: number | null): MsgpackReader {
  const writer = new MsgpackWriter().nil().arrayHeader(expiresAt === undefined ? 3 : 4);
  writer.string('key').mapHeader(1).string('n').integer(1).integer(7);
  if (expiresAt === null) writer.nil();
  else if (expiresAt !== undefined) writer.integer(expiresAt);
  // What comes behind a row must not be taken for a part of it.
  return new MsgpackReader(writer.integer(5).bytes(), 1);
}

describe('a row of the space', () => {
  it.each([
    ['without an end', undefined, undefined],
    ['with an end', 1_800_000_000_000, 1_800_000_000_000],
    ['with an end that is nil', null, undefined],
  ])('%s is read as an entry', (_name, expiresAt, read) => {
    const reader = row(expiresAt);
    expect(readTuple(reader)).toEqual({ key: 'key', json: '{"n":1}', version: 7, expiresAt: read });
    expect(reader.integer()).toBe(5);
  });

  it('is read with its value left encoded', () => {
    const value = Buffer.from([0x81, 0xa1, 0x6e, 1]);
    expect(readEncoded(row())).toEqual({ value, version: 7 });
  });
});

describe('the answer to a write', () => {
  it.each([
    ['a version', 1, new MsgpackWriter().integer(7).integer(5), { version: 7, expiresAt: undefined }],
    ['a version and no end', 2, new MsgpackWriter().integer(7).nil(), { version: 7, expiresAt: undefined }],
    ['a version and an end', 2, new MsgpackWriter().integer(7).integer(5), { version: 7, expiresAt: 5 }],
  ])('is %s', (_name, members, writer, written) => {
    expect(readWritten(new MsgpackReader(writer.bytes()), members)).toEqual(written);
  });
});
