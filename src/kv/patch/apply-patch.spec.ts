import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeValue } from '../../json/decode-value.js';
import { stringifyJson } from '../../../test/support/stringify-json.js';
import { encodeValue } from '../../json/encode-value.js';
import type { JsonObject, JsonValue } from '../../json/json.types.js';
import { parseJson } from '../../json/parse-json.js';
import { MsgpackReader } from '../../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../../msgpack/msgpack-writer.js';
import { KvError } from '../../entries/kv.errors.js';
import { applyPatch } from './apply-patch.js';
import { Budget } from './budget.js';
import { Document } from './document.js';
import { Editor } from './editor.js';
import { applyJsonPatch, MAX_PATCH_OPERATIONS } from './json-patch.js';
import { JSON_PATCH, MERGE_PATCH } from './patch.js';

const LIMITS = { maxDepth: 64, maxBodyBytes: 1024 * 1024 };

function encode(value: JsonValue): Buffer {
  const writer = new MsgpackWriter();
  encodeValue(writer, value, 128);
  return writer.bytes();
}

/** The JSON of the result, or the code of the refusal. */
function patched(value: JsonValue, mediaType: string, document: JsonValue, limits = LIMITS): string {
  try {
    return decodeValue(new MsgpackReader(applyPatch(encode(value), { mediaType, document }, limits)));
  } catch (error) {
    if (error instanceof KvError) return error.code;
    throw error;
  }
}

interface Step {
  readonly op: string;
  readonly path: string;
  readonly from: string;
  readonly value: JsonValue;
}

/**
 * JSON Patch and JSON Merge Patch in their simplest form: each operation works on a copy of the whole document, as
 * JavaScript objects.
 */
class Plain {
  constructor(private document: JsonValue) {}

  carryOut({ op, path, from, value }: Step): void {
    const to = tokens(path);
    if (op === 'test' && stringifyJson(sorted(this.at(to))) !== stringifyJson(sorted(value))) {
      throw new KvError('PATCH_TEST_FAILED');
    }
    if (op === 'add') this.add(to, value);
    if (op === 'remove' || op === 'replace') this.remove(to, op === 'replace' ? value : undefined);
    if (op === 'copy') this.add(to, cloned(this.at(tokens(from))));
    if (op === 'move') {
      const moved = this.at(tokens(from));
      if (path === from) return;
      if (path.startsWith(`${from}/`)) throw new KvError('INVALID_BODY');
      this.remove(tokens(from));
      this.add(to, moved);
    }
  }

  result(): string {
    if (typeof this.document !== 'object' || this.document === null || Array.isArray(this.document))
      return 'INVALID_BODY';
    return stringifyJson(this.document);
  }

  private at(path: string[]): JsonValue {
    return path.reduce((node, token) => {
      const child = entriesOf(node).get(token);
      if (child === undefined) throw new KvError('INVALID_BODY');
      return child;
    }, this.document);
  }

  private add(path: string[], value: JsonValue): void {
    const token = path.pop();
    if (token === undefined) {
      this.document = value;
      return;
    }
    const parent = this.at(path);
    if (Array.isArray(parent)) {
      const index = token === '-' ? parent.length : Number(token);
      if (!/^(0|[1-9]\d*|-)$/.test(token) || index > parent.length) throw new KvError('INVALID_BODY');
      parent.splice(index, 0, value);
    } else if (typeof parent === 'object' && parent !== null) {
      Object.defineProperty(parent, token, { value, enumerable: true, configurable: true, writable: true });
    } else throw new KvError('INVALID_BODY');
  }

  private remove(path: string[], replacement?: JsonValue): void {
    this.at(path);
    const token = path.pop();
    if (token === undefined) {
      this.document = replacement ?? null;
      return;
    }
    const parent = this.at(path);
    if (Array.isArray(parent))
      parent.splice(Number(token), 1, ...(replacement === undefined ? [] : [replacement]));
    else if (replacement !== undefined) this.add([...path, token], replacement);
    else delete (parent as JsonObject)[token];
  }
}

function cloned<T extends JsonValue>(value: T): T {
  return parseJson(Buffer.from(stringifyJson(value))) as T;
}

function tokens(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function entriesOf(node: JsonValue): Map<string, JsonValue> {
  return new Map(typeof node === 'object' && node !== null ? Object.entries(node) : []);
}

function sorted(node: JsonValue): JsonValue {
  if (Array.isArray(node)) return node.map(sorted);
  if (typeof node !== 'object' || node === null) return Object.is(node, -0) ? 0 : node;
  const entries = Object.entries(node).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { members: entries.map(([name, member]) => [name, sorted(member)]) };
}

function plainly(value: JsonValue, operations: readonly Step[]): string {
  const plain = new Plain(cloned(value));
  try {
    for (const operation of operations) plain.carryOut({ ...operation, value: cloned(operation.value) });
    return plain.result();
  } catch (error) {
    if (error instanceof KvError) return error.code;
    throw error;
  }
}

function mergedPlainly(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const isTarget = typeof target === 'object' && target !== null && !Array.isArray(target);
  const members = isTarget ? entriesOf(target) : new Map<string, JsonValue>();
  for (const [name, member] of Object.entries(patch)) {
    if (member === null) members.delete(name);
    else members.set(name, mergedPlainly(members.get(name), member));
  }
  return Object.fromEntries(members);
}

const name = fc.constantFrom('a', 'b', 'é', '', '0', '1', '10', '~', '/', '__proto__', 'constructor');
const scalar = fc.constantFrom<JsonValue>(null, true, 0, 1, -0, 1.5, 1e20, 2n ** 60n, '', 'x', 'é', '\u0001');
const { value: anyValue, object: anyObject } = fc.letrec<{ value: JsonValue; object: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    tie('object'),
  ),
  object: fc
    .array(fc.tuple(name, tie('value')), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries)),
}));

const token = fc
  .oneof(name, fc.constantFrom('2', '-', '01'))
  .map((text) => text.replaceAll('~', '~0').replaceAll('/', '~1'));
const pointer = fc.array(token, { maxLength: 3 }).map((path) => path.map((step) => `/${step}`).join(''));
const operation = fc.record<Step>({
  op: fc.constantFrom('add', 'remove', 'replace', 'copy', 'move', 'test'),
  path: pointer,
  from: pointer,
  value: anyValue,
});

/** Only operations that fit the document, so that long patches do not all end at their first step. */
const fitting = fc.tuple(anyObject, fc.array(operation, { maxLength: 12 })).map(([value, operations]) => {
  const kept: Step[] = [];
  for (const candidate of operations) {
    if (!/^[A-Z_]+$/.test(plainly(value, [...kept, candidate]))) kept.push(candidate);
  }
  return { value, operations: kept };
});

describe('a JSON Patch', () => {
  // Holds patch.json-patch.
  it('does what the operations do one by one', () => {
    fc.assert(
      fc.property(fitting, ({ value, operations }) => {
        expect(
          patched(
            value,
            JSON_PATCH,
            operations.map((each) => ({ ...each })),
          ),
        ).toBe(plainly(value, operations));
      }),
      { numRuns: 400 },
    );
  });

  it('is refused where one of them is', () => {
    fc.assert(
      fc.property(anyObject, fc.array(operation, { minLength: 1, maxLength: 3 }), (value, operations) => {
        expect(
          patched(
            value,
            JSON_PATCH,
            operations.map((each) => ({ ...each })),
          ),
        ).toBe(plainly(value, operations));
      }),
      { numRuns: 400 },
    );
  });
});

describe('a JSON Merge Patch', () => {
  // Holds patch.merge.
  it('does what RFC 7396 says', () => {
    fc.assert(
      fc.property(anyObject, anyObject, (value, patch) => {
        expect(patched(value, MERGE_PATCH, patch)).toBe(stringifyJson(mergedPlainly(value, patch)));
      }),
      { numRuns: 400 },
    );
  });
});

describe('what a JSON Patch makes', () => {
  // Holds patch.too-long-or-deep.
  it('is never longer or deeper than what can be sent, not even in between', () => {
    const limits = { maxDepth: 6, maxBodyBytes: 150 };
    const growing = fc.record<JsonObject>({
      op: fc.constantFrom('copy', 'copy', 'copy', 'add', 'move', 'remove', 'replace'),
      path: pointer,
      from: fc.oneof(fc.constant(''), pointer),
      value: anyValue,
    });
    let runs = 0;
    let refused = 0;
    fc.assert(
      fc.property(anyObject, fc.array(growing, { size: '+1' }), (value, operations) => {
        runs++;
        const document = new Document(encode(value), limits.maxDepth, new Budget(10_000));
        const start = document.measure(0).bytes;
        const editor = new Editor(document, new Budget(10_000), limits);
        for (const [i, step] of operations.entries()) {
          try {
            applyJsonPatch(editor, [step]);
          } catch (error) {
            if (!(error instanceof KvError)) throw error;
            if (error.code === 'VALUE_TOO_LARGE') refused++;
            break;
          }
          const { bytes, depth } = document.measure(document.root);
          // Commas are counted only at the end: one for each operation.
          expect(bytes).toBeLessThanOrEqual(Math.max(start, 150 - 10) + i + 1);
          expect(depth).toBeLessThanOrEqual(limits.maxDepth);
        }
      }),
      { numRuns: 1000 },
    );
    expect(refused).toBeGreaterThanOrEqual(Math.floor(runs / 100));
  });

  // An eighth of the default, because the allowed work of a patch grows with it.
  const BYTES = 128 * 1024;
  const limits = { maxDepth: 64, maxBodyBytes: BYTES };
  const times = (count: number, ...operations: JsonObject[]): JsonObject[] =>
    Array.from({ length: count }, () => operations).flat();
  const names = (count: number): JsonObject =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, 1]));
  const nested = (depth: number, inner: JsonValue): JsonObject =>
    depth === 1 ? { a: inner } : { a: nested(depth - 1, inner) };
  const put = (path: string, value: JsonValue = 1): JsonObject => ({ op: 'add', path, value });
  const copy = (from: string, path: string): JsonObject => ({ op: 'copy', from, path });
  const remove = (path: string): JsonObject => ({ op: 'remove', path });

  // Holds patch.bounded-work.
  it.each<[string, JsonValue, JsonObject[]]>([
    [
      'copies of a long string',
      { s: 'x'.repeat(BYTES - 100) },
      Array.from({ length: 1000 }, (_, i) => copy('/s', `/${i}`)),
    ],
    [
      'copies that are removed again',
      { s: 'x'.repeat(BYTES / 3) },
      times(1000, copy('/s', '/t'), remove('/t')),
    ],
    ['copies of one place to another', { s: 'x'.repeat(BYTES / 3), t: 0 }, times(1000, copy('/s', '/t'))],
    ['copies of the whole into itself', {}, Array.from({ length: 40 }, (_, i) => copy('', `/x${i}`))],
    ['copies of many small values', { s: Array<number>(12_500).fill(1) }, times(1000, copy('/s', '/t'))],
    [
      'copies of many open members',
      { m: names(5_000) },
      times(1000, put('/m/n'), copy('/m', '/t'), put('/t/n')),
    ],
    [
      'copies of many members, each of which is opened',
      { m: names(5_000) },
      times(3, copy('/m', '/t'), put('/t/n')),
    ],
    [
      'copies of many items, each of which is opened',
      { m: Array<number>(20_000).fill(1) },
      times(4, copy('/m', '/t'), put('/t/-')),
    ],
    ['copies of open members', { m: names(5_000) }, [put('/m/n'), ...times(3, copy('/m', '/t'))]],
    [
      'copies of open items',
      { m: Array<number>(20_000).fill(1) },
      [put('/m/-'), ...times(3, copy('/m', '/t'))],
    ],
    ['a string that is longer as JSON than in the store', { s: '\u0001'.repeat(11_000) }, [copy('/s', '/t')]],
    [
      'numbers that are longer as JSON than in the patch',
      { a: 1 },
      [put('/b', Array<number>(12_500).fill(1e15))],
    ],
    [
      'insertions at the front of a long array',
      { a: Array<number>(65_000).fill(1) },
      times(1000, put('/a/0')),
    ],
    [
      'removals from the front of a long array',
      { a: Array<number>(65_000).fill(1) },
      times(1000, remove('/a/0')),
    ],
    [
      'moves within a long array',
      { a: Array<number>(65_000).fill(1) },
      times(1000, { op: 'move', from: '/a/0', path: '/a/-' }),
    ],
    [
      'moves of a long array to a deeper place',
      { a: Array<number>(50_000).fill(1), b: {} },
      times(1000, { op: 'move', from: '/a', path: '/b/a' }, { op: 'move', from: '/b/a', path: '/a' }),
    ],
    ['one byte too long', {}, [put('/a', 'x'.repeat(BYTES - '{"value":{"a":""}}'.length + 1))]],
    ['more operations than it may have', { a: 1 }, times(MAX_PATCH_OPERATIONS + 1, put('/a'))],
  ])('is refused before it is made: %s', (_what, value, operations) => {
    expect(patched(value, JSON_PATCH, operations, limits)).toBe('VALUE_TOO_LARGE');
  });

  // Holds patch.ordinary-work.
  it.each<[string, JsonValue, JsonObject[]]>([
    ['as many operations as it may have', { a: 1 }, times(MAX_PATCH_OPERATIONS, put('/a'))],
    [
      'one operation deep in a large value',
      nested(50, Array<number>(60_000).fill(1)),
      [put(`${'/a'.repeat(50)}/-`)],
    ],
    [
      'an addition in place of the whole',
      { s: 'x'.repeat(BYTES - 200) },
      [put('', { s: 'y'.repeat(BYTES - 200) })],
    ],
    [
      'an addition in place of a long member',
      { s: 'x'.repeat(BYTES - 200) },
      [put('/s', 'y'.repeat(BYTES - 200))],
    ],
    ['a copy in place of what it lies in', { a: { s: 'x'.repeat(BYTES - 200) } }, [copy('/a', '')]],
    [
      'a long member for another',
      { s: 'x'.repeat(BYTES - 200) },
      [{ op: 'replace', path: '/s', value: 'y'.repeat(BYTES - 200) }],
    ],
    [
      'new names for a long member',
      { a: 'x'.repeat(BYTES - 200) },
      times(500, { op: 'move', from: '/a', path: '/b' }, { op: 'move', from: '/b', path: '/a' }),
    ],
    ['copies that fit', { s: 'x'.repeat(BYTES / 4) }, [copy('/s', '/t'), copy('/s', '/u')]],
    [
      'replacements all over a long array',
      { a: Array<number>(12_500).fill(1) },
      Array.from({ length: 1000 }, (_, i) => ({ op: 'replace', path: `/a/${i * 12}`, value: i })),
    ],
    ['additions to the end of a long array', { a: Array<number>(60_000).fill(1) }, times(1000, put('/a/-'))],
    [
      'removals from the end of a long array',
      { a: Array<number>(60_000).fill(1) },
      Array.from({ length: 1000 }, (_, i) => remove(`/a/${59_999 - i}`)),
    ],
    ['a removal from the front of a long array', { a: Array<number>(60_000).fill(1) }, [remove('/a/0')]],
    [
      'changes in containers behind a long string',
      {
        s: 'x'.repeat(BYTES - 2000),
        ...Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`n${i}`, {}])),
      },
      Array.from({ length: 100 }, (_, i) => put(`/n${i}/a`)),
    ],
    [
      'changes of a member with a long name',
      { ['x'.repeat(1000)]: 1 },
      times(1000, put(`/${'x'.repeat(1000)}`)),
    ],
    [
      'long values that are moved onto each other',
      { a: 'x'.repeat(BYTES / 2 - 100), b: 'x'.repeat(BYTES / 2 - 100) },
      [{ op: 'move', from: '/a', path: '/b' }, put('/a', 'x'.repeat(BYTES / 2 - 100))],
    ],
    ['a value as deep as it may be', { a: {} }, [put('/a/a', nested(62, 1))]],
    ['as long as it may be', {}, [put('/a', 'x'.repeat(BYTES - '{"value":{"a":""}}'.length))]],
    ['insertions at the front of an array', { a: Array<number>(6_000).fill(1) }, times(1000, put('/a/0'))],
    ['changes of many members', names(6_000), Array.from({ length: 3000 }, (_, i) => put(`/n${i}`, 2))],
    [
      'a test of the whole',
      { a: Array<number>(60_000).fill(1) },
      [{ op: 'test', path: '', value: { a: Array<number>(60_000).fill(1) } }],
    ],
    [
      'a smaller document of one that is too large',
      { a: 'x'.repeat(2 * BYTES), b: 1 },
      [remove('/a'), put('/c')],
    ],
  ])('may be %s', (_what, value, operations) => {
    expect(patched(value, JSON_PATCH, operations, limits)).toMatch(/^\{/);
  });

  it.each<[string, JsonValue, JsonObject[]]>([
    ['a value that is too deep where it is put', { a: {} }, [put('/a/a', nested(63, 1))]],
    ['a copy that is too deep where it is put', nested(60, { b: 1 }), [copy('/a', `${'/a'.repeat(10)}`)]],
    [
      'a move to where it is too deep',
      { a: nested(60, 1), b: nested(10, {}) },
      [{ op: 'move', from: '/a', path: `/b${'/a'.repeat(10)}/x` }],
    ],
    ['a pointer that is deeper than any value', { a: 1 }, [remove('/a'.repeat(12_500))]],
    ['a lone surrogate in a name', { a: 1 }, [put('/\ud800')]],
    ['a lone surrogate', { a: 1 }, [put('/b', '\ud800')]],
  ])('may not be %s', (_what, value, operations) => {
    expect(patched(value, JSON_PATCH, operations, limits)).toBe('INVALID_BODY');
  });
});
