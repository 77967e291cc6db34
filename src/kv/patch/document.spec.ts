import { describe, expect, it } from 'vitest';
import { encodeValue } from '../../json/encode-value.js';
import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { MsgpackWriter } from '../../msgpack/msgpack-writer.js';
import { Budget } from './budget.js';
import { Document } from './document.js';
import type { Node } from './node.js';
import { MergeTrail, PathTrail } from './trail.js';
import type { Trail } from './trail.js';

function documentOf(value: JsonValue, trail?: Trail): Document {
  const writer = new MsgpackWriter();
  encodeValue(writer, value, 64);
  const document = new Document(writer.bytes(), 64, new Budget(1e6));
  document.root = document.open(document.root, trail);
  return document;
}

/** A node that was not opened as a dot. */
function shape(node: Node): unknown {
  if (typeof node === 'number') return '·';
  if (Array.isArray(node)) return node.map(shape);
  return Object.fromEntries([...node].map(([name, member]) => [name, shape(member)]));
}

const VALUE: JsonObject = { a: { b: [1, { c: [] }, {}], '0': {} }, d: { e: {} } };

describe('a document', () => {
  it.each<[string, Trail | undefined, unknown]>([
    ['no trail', undefined, '·'],
    ['the path of the whole', PathTrail.of([]), '·'],
    ['a path of one token', PathTrail.of(['a']), { a: '·', d: '·' }],
    ['a path', PathTrail.of(['a', 'b', '1', 'c']), { a: { b: ['·', { c: '·' }, '·'], '0': '·' }, d: '·' }],
    ['a path to an item', PathTrail.of(['a', 'b', '2']), { a: { b: ['·', '·', '·'], '0': '·' }, d: '·' }],
    [
      'a path into an item',
      PathTrail.of(['a', 'b', '2', 'x']),
      { a: { b: ['·', '·', {}], '0': '·' }, d: '·' },
    ],
    ['a path with an index for a name', PathTrail.of(['a', '0', 'x']), { a: { b: '·', '0': {} }, d: '·' }],
    [
      'a path beyond a scalar',
      PathTrail.of(['a', 'b', '0', 'x']),
      { a: { b: ['·', '·', '·'], '0': '·' }, d: '·' },
    ],
    ['a path that does not exist', PathTrail.of(['x', 'b']), { a: '·', d: '·' }],
    ['a merge of one member', new MergeTrail({ x: 1 }), { a: '·', d: '·' }],
    ['a merge of members', new MergeTrail({ d: { e: {}, f: 1 }, x: { y: 1 } }), { a: '·', d: { e: '·' } }],
    [
      'a merge into an array',
      new MergeTrail({ a: { b: { '1': { c: 1 } } } }),
      { a: { b: ['·', '·', '·'], '0': '·' }, d: '·' },
    ],
  ])('is opened along %s only', (_what, trail, opened) => {
    expect(shape(documentOf(VALUE, trail).root)).toEqual(opened);
  });

  it.each<[string[]]>([[[]], [['d', 'e', 'x']], [['a', 'b', '1', 'c', '0']]])(
    'is measured as it will be written, with %j opened',
    (path) => {
      const document = documentOf(VALUE, PathTrail.of(path));
      const { bytes, depth } = document.measure(document.root);
      expect({ bytes, depth }).toEqual({ bytes: JSON.stringify(VALUE).length, depth: 5 });
    },
  );
});

describe('names', () => {
  it.each<JsonObject>([{ a: { é: 1, 'ü😀': 2, '': 3, '\u007f': 4 } }, { a: { ['x'.repeat(300)]: 1 } }])(
    'are kept when the container of %j is opened',
    (value) => {
      const written = new MsgpackWriter();
      encodeValue(written, value, 64);
      expect(documentOf(value, PathTrail.of(['a', 'x'])).bytes()).toEqual(written.bytes());
    },
  );
});
