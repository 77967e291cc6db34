import { describe, expect, it } from 'vitest';
import { KvError } from '../../entries/kv.errors.js';
import { decodeValue } from '../../json/decode-value.js';
import { encodeValue } from '../../json/encode-value.js';
import type { JsonValue } from '../../json/json.types.js';
import { MsgpackReader } from '../../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../../msgpack/msgpack-writer.js';
import { applyPatch } from './apply-patch.js';
import { JSON_PATCH, MERGE_PATCH } from './patch.js';

function patched(value: JsonValue, mediaType: string, document: JsonValue): string {
  const writer = new MsgpackWriter();
  encodeValue(writer, value, 64);
  const limits = { maxDepth: 64, maxBodyBytes: 1e6 };
  return decodeValue(new MsgpackReader(applyPatch(writer.bytes(), { mediaType, document }, limits)));
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
