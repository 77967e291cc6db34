import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { filterId, readCursor, writeCursor } from './cursor.js';
import type { Filter } from './filter.js';

const invalid = expect.objectContaining({ code: 'INVALID_CURSOR' }) as Error;
const ALL: Filter = { reverse: false, keysOnly: false };

/** A cursor that anybody can make, because the digest is no secret. */
function forged(body: Buffer, form = 'kv-cursor-2'): string {
  const digest = createHash('sha256').update(form).update(body).digest().subarray(0, 12);
  return Buffer.concat([digest, body]).toString('base64url');
}

function position(write: (writer: MsgpackWriter) => MsgpackWriter, members = 6): Buffer {
  const writer = new MsgpackWriter().arrayHeader(members).string('id').string('ab');
  return Buffer.from(write(writer).bytes());
}

describe('a cursor', () => {
  it.each<[string, Filter, Filter]>([
    ['everything', ALL, ALL],
    ['a prefix', { ...ALL, prefix: 'user:' }, { ...ALL, prefix: 'user:' }],
    ['keys only', { ...ALL, keysOnly: true }, { ...ALL, keysOnly: true }],
    // The bound that the walk has passed is left out.
    ['a range', { ...ALL, start: 'a', end: 'x' }, { ...ALL, end: 'x' }],
    [
      'a range in reverse',
      { ...ALL, reverse: true, start: 'a', end: 'x' },
      { ...ALL, reverse: true, start: 'a' },
    ],
  ])('continues a walk over %s', (_name, filter, rest) => {
    const cursor = writeCursor({ filter, filterId: 'id', after: 'user:5' });
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(readCursor(cursor)).toEqual({ filter: rest, filterId: 'id', after: 'user:5' });
  });

  it('has the form that other versions of the service read', () => {
    const body = position((writer) => writer.integer(1).string('x').boolean(false).boolean(true));
    const cursor = writeCursor({
      filter: { prefix: 'a', end: 'x', reverse: false, keysOnly: true },
      filterId: 'id',
      after: 'ab',
    });
    expect(cursor).toBe(forged(body));
  });

  it('is refused when a character was changed, cut off or added', () => {
    const cursor = writeCursor({ filter: { ...ALL, prefix: 'k' }, filterId: 'id', after: 'key' });
    expect(readCursor(cursor).after).toBe('key');
    for (let at = 0; at < cursor.length; at++) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      expect(() => readCursor(cursor.slice(0, at) + other + cursor.slice(at + 1))).toThrow(invalid);
      expect(() => readCursor(cursor.slice(0, at))).toThrow(invalid);
    }
    for (const bad of [`${cursor}A`, `${cursor}=`, ` ${cursor}`, 'no cursor']) {
      expect(() => readCursor(bad)).toThrow(invalid);
    }
  });

  it.each<[string, string]>([
    [
      'of another form',
      forged(
        position((w) => w.integer(0).nil().boolean(false).boolean(false)),
        'kv-cursor-1',
      ),
    ],
    ['with too few members', forged(position((w) => w.integer(0).nil().boolean(false).boolean(false), 5))],
    ['with more behind', forged(position((w) => w.integer(0).nil().boolean(false).boolean(false).nil()))],
    [
      'with a bound that is a number',
      forged(position((w) => w.integer(0).integer(5).boolean(false).boolean(false))),
    ],
    ['cut short', forged(position((w) => w.integer(0).nil().boolean(false)))],
    ['that is empty', forged(Buffer.alloc(0))],
  ])('is refused %s, even with a correct digest', (_name, cursor) => {
    expect(() => readCursor(cursor)).toThrow(invalid);
  });
});

describe('the id of a filter', () => {
  it('differs where a member differs', () => {
    const filters: Filter[] = [
      ALL,
      { ...ALL, prefix: 'a' },
      { ...ALL, start: 'a' },
      { ...ALL, end: 'a' },
      { ...ALL, reverse: true },
      { ...ALL, keysOnly: true },
    ];
    expect(new Set(filters.map(filterId)).size).toBe(filters.length);
    expect(filterId({ ...ALL })).toBe(filterId(ALL));
    expect(filterId(ALL)).toMatch(/^[\w-]{16}$/);
  });
});
