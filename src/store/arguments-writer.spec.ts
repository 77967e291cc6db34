import { describe, expect, it } from 'vitest';
import type { IfMatch, Ttl } from '../entries/entry.js';
import { decodeValue } from '../json/decode-value.js';
import type { JsonObject } from '../json/json.types.js';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { ArgumentsWriter } from './arguments-writer.js';

const limits = { maxDepth: 4, maxBodyBytes: 200 };
const invalidBody = expect.objectContaining({ code: 'INVALID_BODY' }) as Error;
const tooLarge = expect.objectContaining({ code: 'VALUE_TOO_LARGE' }) as Error;

/** What one argument is written as, as JSON. */
function written(write: (args: ArgumentsWriter) => unknown): string {
  const args = new ArgumentsWriter(limits).begin(1);
  write(args);
  return decodeValue(new MsgpackReader(args.bytes()));
}

/** The value that an argument carries as a string of MessagePack, as JSON. */
function carried(args: ArgumentsWriter, value: JsonObject | Buffer): string {
  const reader = new MsgpackReader(args.begin(1).value(value).bytes());
  reader.arrayHeader();
  const bytes = reader.stringHeader();
  return decodeValue(new MsgpackReader(reader.buffer.subarray(reader.offset, reader.offset + bytes)));
}

function nested(depth: number): JsonObject {
  return depth === 1 ? {} : { n: nested(depth - 1) };
}

function encoded(value: JsonObject): Buffer {
  const writer = new MsgpackWriter();
  const write = (object: JsonObject): void => {
    writer.mapHeader(Object.keys(object).length);
    for (const [name, member] of Object.entries(object)) {
      writer.string(name);
      if (typeof member === 'string') writer.string(member);
      else write(member as JsonObject);
    }
  };
  write(value);
  return writer.bytes();
}

describe('ArgumentsWriter', () => {
  it.each<[string, (args: ArgumentsWriter) => unknown, string]>([
    ['nothing', (args) => args.nil(), '[null]'],
    ['true', (args) => args.boolean(true), '[true]'],
    ['false', (args) => args.boolean(false), '[false]'],
    ['an integer', (args) => args.integer(70_000), '[70000]'],
    ['a key', (args) => args.key('käse'), '["käse"]'],
    ['a list', (args) => args.array(2).integer(1).nil(), '[[1,null]]'],
    ['a map', (args) => args.map(1).key('limit').integer(5), '[{"limit":5}]'],
  ])('writes %s', (_name, write, json) => {
    expect(written(write)).toBe(json);
  });

  it.each<[Ttl | undefined, string]>([
    [undefined, '[null]'],
    [60, '[60]'],
    ['keep', '["keep"]'],
    [{ expiresAtMs: 1_800_000_000_000 }, '[[1800000000000]]'],
  ])('writes the time to live %j', (ttl, json) => {
    expect(written((args) => args.ttl(ttl))).toBe(json);
  });

  it.each<[IfMatch | undefined, string]>([
    [undefined, '[null]'],
    ['*', '["*"]'],
    [[], '[[]]'],
    [[1, 300], '[[1,300]]'],
  ])('writes the accepted versions %j', (versions, json) => {
    expect(written((args) => args.ifMatch(versions))).toBe(json);
  });

  it('begins anew, and gives bytes that the next call does not change', () => {
    const args = new ArgumentsWriter(limits);
    const first = args.begin(2).key('a').value({ n: 1 }).bytes();
    const copy = Buffer.from(first);
    args.begin(1).key('other');
    expect(first).toEqual(copy);
    expect(decodeValue(new MsgpackReader(args.bytes()))).toBe('["other"]');
  });

  it('carries one value after another, each as a string of MessagePack', () => {
    const args = new ArgumentsWriter(limits);
    expect(carried(args, { b: 1, a: [true, null] })).toBe('{"b":1,"a":[true,null]}');
    expect(carried(args, { c: 'x' })).toBe('{"c":"x"}');
    expect(carried(args, encoded({ d: 'y' }))).toBe('{"d":"y"}');
  });

  it('carries a value of any depth up to the limit, parsed or patched', () => {
    const args = new ArgumentsWriter(limits);
    for (const value of [nested(4), encoded(nested(4))]) {
      expect(carried(args, value)).toBe('{"n":{"n":{"n":{}}}}');
    }
    for (const value of [nested(5), encoded(nested(5))]) {
      expect(() => args.begin(1).value(value)).toThrow(invalidBody);
    }
  });

  // {"value":…} with 200 bytes has 190 bytes of value, of which {"s":""} takes 8.
  it('carries a value that is answered with as many bytes as a body may have, and no larger one', () => {
    const args = new ArgumentsWriter(limits);
    for (const form of [(value: JsonObject) => value, encoded]) {
      expect(carried(args, form({ s: 'x'.repeat(182) }))).toHaveLength(190);
      expect(() => args.begin(1).value(form({ s: 'x'.repeat(183) }))).toThrow(tooLarge);
    }
    // Six bytes of JSON for one of MessagePack.
    expect(carried(args, { s: '\u0001'.repeat(30) })).toHaveLength(188);
    expect(() => args.begin(1).value({ s: '\u0001'.repeat(31) })).toThrow(tooLarge);
  });

  it('refuses what cannot be kept exactly, and passes on every other error', () => {
    const args = new ArgumentsWriter(limits);
    expect(() => args.begin(1).value({ s: '\uD800' })).toThrow(invalidBody);
    const bug = new Error('a bug');
    const value = Object.defineProperty({}, 'a', {
      enumerable: true,
      get: () => {
        throw bug;
      },
    });
    expect(() => args.begin(1).value(value as JsonObject)).toThrow(bug);
  });
});
