import { describe, expect, it } from 'vitest';
import { KvError } from '../../entries/kv.errors.js';
import { decodeValue } from '../../json/decode-value.js';
import { encodeValue } from '../../json/encode-value.js';
import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { MsgpackReader } from '../../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../../msgpack/msgpack-writer.js';
import { applyPatch } from './apply-patch.js';
import { JSON_PATCH, MERGE_PATCH } from './patch.js';

const LIMITS = { maxDepth: 64, maxBodyBytes: 1e6 };

const put = (path: string, value: JsonValue): JsonObject => ({ op: 'add', path, value });
const replace = (path: string, value: JsonValue): JsonObject => ({ op: 'replace', path, value });
const remove = (path: string): JsonObject => ({ op: 'remove', path });
const move = (from: string, path: string): JsonObject => ({ op: 'move', from, path });
const copy = (from: string, path: string): JsonObject => ({ op: 'copy', from, path });

function patched(value: JsonValue, mediaType: string, document: JsonValue): string {
  const writer = new MsgpackWriter();
  encodeValue(writer, value, 64);
  return decodeValue(new MsgpackReader(applyPatch(writer.bytes(), { mediaType, document }, LIMITS)));
}

describe('a JSON Patch', () => {
  it.each<JsonValue>([
    {},
    null,
    'add',
    [null],
    [1],
    [[]],
    [{}],
    [{ op: 'frob', path: '/a', value: 1 }],
    [{ op: 'constructor', path: '/a', value: 1 }],
    [{ op: 'toString', path: '/a', value: 1 }],
    [{ op: ['add'], path: '/a', value: 1 }],
    [{ op: null, path: '/a', value: 1 }],
    [{ path: '/a', value: 1 }],
    [{ op: 'add', path: '/a' }],
    [{ op: 'replace', path: '/a' }],
    [{ op: 'test', path: '/a' }],
    [{ op: 'add', value: 1 }],
    [{ op: 'move', path: '/b' }],
    [{ op: 'copy', path: '/b' }],
  ])('is not %j', (document) => {
    expect(() => patched({ a: 1 }, JSON_PATCH, document)).toThrow(new KvError('INVALID_BODY'));
  });

  it('may be empty', () => {
    expect(patched({ a: 1 }, JSON_PATCH, [])).toBe('{"a":1}');
  });

  it.each<[string, JsonObject, JsonObject[], JsonObject]>([
    ['an item is added', { a: [1] }, [put('/a/0', 0), put('/a/2', 2), put('/a/-', 3)], { a: [0, 1, 2, 3] }],
    ['an item is removed', { a: [1, 2, 3] }, [remove('/a/2'), remove('/a/0')], { a: [2] }],
    ['an item is replaced', { a: [1, 2] }, [replace('/a/1', { b: 3 })], { a: [1, { b: 3 }] }],
    ['an item is changed', { a: [[1], [{}], 5] }, [put('/a/1/0/b', 2)], { a: [[1], [{ b: 2 }], 5] }],
    [
      'items of items are changed',
      { a: [[1, 2], [3]] },
      [put('/a/1/-', 4), remove('/a/0/0')],
      { a: [[2], [3, 4]] },
    ],
    ['an item is moved', { a: [1, 2, 3] }, [move('/a/0', '/a/2')], { a: [2, 3, 1] }],
    [
      'one place is changed after another',
      { a: { b: {} }, c: {} },
      [put('/c/x', 1), put('/a/b/y', 2)],
      { a: { b: { y: 2 } }, c: { x: 1 } },
    ],
    ['a value is moved to where it is', { a: { b: 1 } }, [move('/a', '/a'), move('', '')], { a: { b: 1 } }],
    ['a member is moved onto another', { a: 1, b: 2 }, [move('/a', '/b')], { b: 1 }],
    [
      'a copy is changed',
      { a: [1], b: { c: [1] } },
      [
        put('/a/-', 2),
        put('/b/c/-', 2),
        copy('/a', '/d'),
        copy('/b', '/e'),
        put('/d/-', 3),
        put('/e/c/-', 3),
      ],
      { a: [1, 2], b: { c: [1, 2] }, d: [1, 2, 3], e: { c: [1, 2, 3] } },
    ],
    ['the whole is replaced', { a: 1 }, [put('', [1]), put('/0', { b: 1 }), move('/0', '')], { b: 1 }],
  ])('changes only what it names: %s', (_what, value, operations, result) => {
    expect(patched(value, JSON_PATCH, operations)).toBe(JSON.stringify(result));
  });

  it.each<[string, JsonObject]>([
    ['an item behind the next', put('/a/2', 1)],
    ['an item that is not there', remove('/a/1')],
    ['the item behind the last', replace('/a/-', 1)],
    ['an item by a name', put('/a/b', 1)],
    ['an item by a longer index', replace('/a/00', 1)],
    ['a member of what is not there', put('/x/y', 1)],
    ['a member of a scalar', put('/n/y', 1)],
    ['a member that is not there', remove('/x')],
    ['a move of what is not there', move('/x', '/y')],
    ['a move into itself', move('/b', '/b/c')],
    ['the removal of the whole', remove('')],
    ['an array for the whole', put('', [1])],
  ])('is refused: %s', (_what, operation) => {
    expect(() => patched({ a: [1], n: 1, b: {} }, JSON_PATCH, [operation])).toThrow(
      new KvError('INVALID_BODY'),
    );
  });

  it('keeps the names that Lua wrote as integers', () => {
    const stored = Buffer.from('8201a161ffa162', 'hex');
    const patch = { mediaType: JSON_PATCH, document: [replace('/1', 'c')] };
    expect(decodeValue(new MsgpackReader(applyPatch(stored, patch, LIMITS)))).toBe('{"1":"c","-1":"b"}');
  });
});

describe('the order of members', () => {
  // Names that a JavaScript engine takes for indices, those next to them, and others.
  const names = [
    'b',
    '10',
    '/',
    ':',
    '2',
    '01',
    '4294967294',
    '4294967295',
    '4294967296',
    '9',
    '0',
    'a1',
    '1a',
    '-1',
    '',
  ];
  const members = Object.fromEntries(names.map((name, i) => [name, i]));

  it('is the same in what a patch makes as in what was put', () => {
    expect(patched({}, MERGE_PATCH, members)).toBe(JSON.stringify(members));
    expect(patched({ v: 1 }, JSON_PATCH, [{ op: 'add', path: '/v', value: members }])).toBe(
      JSON.stringify({ v: members }),
    );
    const one = names.map((name, i) => ({ op: 'add', path: `/${name.replaceAll('/', '~1')}`, value: i }));
    expect(patched({}, JSON_PATCH, one)).toBe(JSON.stringify(members));
  });
});
