import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { decodeValue } from './decode-value.js';
import { stringifyJson } from '../../test/support/stringify-json.js';
import { encodeValue } from './encode-value.js';
import { InvalidJsonError, UnencodableValueError } from './json.errors.js';
import { parseJson } from './parse-json.js';

const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;

/** A value with explicit types, exactly as its text says, so that no two different values are equal. */
type Reference =
  | ['literal' | 'string' | 'integer' | 'double', string]
  | ['unkeepable', string]
  | ['array', Reference[]]
  | ['object', [string, Reference][]];

class Refused extends Error {}

/**
 * A slow and simple parser that shares nothing with the code under test: no JSON.parse, and no object with names of
 * clients.
 */
class ReferenceParser {
  private at = 0;

  constructor(private readonly text: string) {}

  document(): Reference {
    const value = this.value();
    if (this.at !== this.text.length) throw new Refused('more text');
    refuseUnkeepable(value);
    return value;
  }

  private value(): Reference {
    this.take(/[ \t\n\r]*/y);
    const value = this.bareValue();
    this.take(/[ \t\n\r]*/y);
    return value;
  }

  private bareValue(): Reference {
    const next = this.text[this.at];
    if (next === '{') return this.object();
    if (next === '[') return ['array', this.items('[', ']', () => this.value())];
    if (next === '"') return stringValue(this.string());
    const literal = this.take(/true|false|null/y);
    return literal === undefined ? this.number() : ['literal', literal];
  }

  private object(): Reference {
    const members = new Map<string, Reference>();
    this.items('{', '}', () => {
      this.take(/[ \t\n\r]*/y);
      const name = this.string();
      this.take(/[ \t\n\r]*/y);
      this.expect(':');
      members.set(name, this.value());
    });
    const isIndex = (name: string): boolean => /^(0|[1-9]\d{0,9})$/.test(name) && Number(name) < 2 ** 32 - 1;
    const entries = [...members];
    const indices = entries.filter(([name]) => isIndex(name)).toSorted(([a], [b]) => Number(a) - Number(b));
    return ['object', [...indices, ...entries.filter(([name]) => !isIndex(name))]];
  }

  private items<T>(open: string, close: string, item: () => T): T[] {
    this.expect(open);
    this.take(/[ \t\n\r]*/y);
    if (this.text[this.at] === close) {
      this.at++;
      return [];
    }
    const items = [item()];
    while (this.text[this.at] === ',') {
      this.at++;
      items.push(item());
    }
    this.expect(close);
    return items;
  }

  private string(): string {
    this.expect('"');
    let value = '';
    for (let part = this.stringPart(); part !== undefined; part = this.stringPart()) value += part;
    this.expect('"');
    return value;
  }

  private stringPart(): string | undefined {
    // oxlint-disable-next-line no-control-regex -- control characters are what RFC 8259 §7 excludes
    const plain = this.take(/[^"\\\u0000-\u001f]/y);
    if (plain !== undefined) return plain;
    const unicode = this.take(/\\u[\da-fA-F]{4}/y);
    if (unicode !== undefined) return String.fromCharCode(Number.parseInt(unicode.slice(2), 16));
    const escape = this.take(/\\["\\/bfnrt]/y)?.[1];
    if (escape === undefined) return undefined;
    return new Map(Object.entries({ b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' })).get(escape) ?? escape;
  }

  private number(): Reference {
    const token = this.take(/-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y);
    if (token === undefined) throw new Refused('no value');
    if (/^-?\d+$/.test(token) && token !== '-0') {
      const integer = BigInt(token);
      if (integer < MIN_INT64 || integer > MAX_UINT64) return ['unkeepable', token];
      return ['integer', String(integer)];
    }
    const double = Number(token);
    if (!Number.isFinite(double)) return ['unkeepable', token];
    if (Object.is(double, -0)) return ['double', '-0'];
    // Both sides count 1.0 and 1 as the same number. From 2^53 on they are different.
    return [Number.isSafeInteger(double) ? 'integer' : 'double', String(double)];
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw new Refused(`no ${character}`);
    this.at++;
  }

  private take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
}

function stringValue(value: string): Reference {
  return value.isWellFormed() ? ['string', value] : ['unkeepable', 'lone surrogate'];
}

/** Runs after parsing: a duplicate member that did not win is not kept, so it may hold what cannot be kept. */
function refuseUnkeepable(value: Reference): void {
  if (value[0] === 'unkeepable') throw new Refused(value[1]);
  if (value[0] === 'array') value[1].forEach(refuseUnkeepable);
  if (value[0] === 'object') {
    for (const [name, member] of value[1]) {
      refuseUnkeepable(stringValue(name));
      refuseUnkeepable(member);
    }
  }
}

const reference = (text: string): Reference => new ReferenceParser(text).document();

const writer = new MsgpackWriter(64);

function throughStore(text: string): string {
  encodeValue(writer.reset(), parseJson(Buffer.from(text)), 64);
  const reader = new MsgpackReader(writer.bytes());
  const result = decodeValue(reader);
  expect(reader.offset).toBe(reader.buffer.length);
  return result;
}

function isRefused(action: () => unknown, ...kinds: (new (message?: string) => Error)[]): boolean {
  try {
    action();
    return false;
  } catch (error) {
    if (kinds.some((kind) => error instanceof kind)) return true;
    throw error;
  }
}

const codeUnit = (min: number, max: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min, max }), fc.boolean())
    .map(([unit, upper]) => unit.toString(16).padStart(4, '0')[upper ? 'toUpperCase' : 'toLowerCase']())
    .map((hex) => `\\u${hex}`);

const stringPart = fc.oneof(
  { weight: 5, arbitrary: fc.string().map((text) => text.replaceAll(/["\\]/g, '')) },
  fc.string({ unit: 'grapheme' }).map((text) => JSON.stringify(text).slice(1, -1)),
  fc.constantFrom(
    '\\"',
    '\\\\',
    '\\/',
    '\\b',
    '\\f',
    '\\n',
    '\\r',
    '\\t',
    '\\u0000',
    '\u2028',
    '\u007f',
    '\ufeff',
    '😀',
    'ß',
  ),
  fc.constantFrom(
    ',18446744073709551616,',
    ': 9007199254740993 ',
    '[-9223372036854775809]',
    ' 1e999 ',
    '\\\\\\"',
  ),
  codeUnit(0, 0xd7ff),
  codeUnit(0xe000, 0xffff),
  fc.tuple(codeUnit(0xd800, 0xdbff), codeUnit(0xdc00, 0xdfff)).map((pair) => pair.join('')),
);
const stringText = fc.array(stringPart, { maxLength: 5 }).map((parts) => `"${parts.join('')}"`);

const nameText = fc.oneof(
  stringText,
  fc
    .constantFrom(
      '__proto__',
      '\\u005f_proto__',
      'constructor',
      'toJSON',
      'then',
      'hasOwnProperty',
      'length',
      'a',
      'b',
      '',
    )
    .map((name) => `"${name}"`),
  fc.constantFrom(
    '"0"',
    '"1"',
    '"10"',
    '"2"',
    '"01"',
    '"-1"',
    '"4294967294"',
    '"4294967295"',
    '"9007199254740993"',
  ),
);

const digits = fc.stringMatching(/^\d{1,25}$/);
const numberText = fc.oneof(
  fc.bigInt({ min: MIN_INT64, max: MAX_UINT64 }).map(String),
  fc.bigInt({ min: -(2n ** 55n), max: 2n ** 55n }).map(String),
  fc.integer().map(String),
  fc.constantFrom(
    '-0',
    '0',
    '-0.0',
    '0e5',
    '1.0',
    '1E2',
    '9007199254740991',
    '9007199254740992',
    '-9007199254740992',
  ),
  fc.constantFrom(
    '-9223372036854775808',
    '18446744073709551615',
    '9223372036854775807',
    '9223372036854775808',
  ),
  fc.constantFrom(
    '1e20',
    '1.152921504606847e18',
    '1e-400',
    '5e-324',
    '1.7976931348623157e308',
    '1e0000000000000000020',
  ),
  fc
    .double({ noDefaultInfinity: true, noNaN: true })
    .map(String)
    .filter((text) => text.includes('.') || text.includes('e')),
  fc
    .tuple(
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 2n ** 70n }),
      digits,
      fc.constantFrom('e', 'E'),
      fc.integer({ min: -340, max: 280 }),
    )
    .map(([minus, whole, part, e, exponent]) => `${minus ? '-' : ''}${whole}.${part}${e}${exponent}`),
);

const space = fc.oneof({ weight: 4, arbitrary: fc.constant('') }, fc.stringMatching(/^[ \t\n\r]{0,4}$/));
const separated = (items: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(items, { maxLength: 6 }).map((parts) => parts.join(','));
const { value: jsonText } = fc.letrec<{ value: string; object: string; array: string; spaced: string }>(
  (tie) => ({
    value: fc.oneof(
      { maxDepth: 5, depthSize: 'small' },
      fc.oneof(numberText, stringText, fc.constantFrom('true', 'false', 'null', '{}', '[]')),
      tie('object'),
      tie('array'),
    ),
    spaced: fc.tuple(space, tie('value'), space).map((parts) => parts.join('')),
    object: separated(
      fc
        .tuple(space, nameText, space, tie('spaced'))
        .map(([before, name, after, value]) => `${before}${name}${after}:${value}`),
    ).map((members) => `{${members}}`),
    array: separated(tie('spaced')).map((items) => `[${items}]`),
  }),
);
const documentText = fc.tuple(space, jsonText, space).map((parts) => parts.join(''));

const EDITS = '{}[]",:\\/ue019-+. tn\u0000\n\ud800\ufeff'.split('');

const mutatedText = fc
  .tuple(
    documentText,
    fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...EDITS)), {
      minLength: 1,
      maxLength: 3,
    }),
  )
  .map(([text, edits]) =>
    edits.reduce((edited, [position, removed, inserted]) => {
      const at = position % (edited.length + 1);
      return edited.slice(0, at) + inserted + edited.slice(at + removed);
    }, text),
  );

describe('the exact JSON codec', () => {
  // Holds value.unchanged, value.member-order, value.exact-integers, value.doubles.
  it('gives every JSON text back as the same value', () => {
    fc.assert(
      fc.property(documentText, (text) => {
        expect(reference(throughStore(text))).toEqual(reference(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('gives back what it printed to the byte, and prints a value without the store alike', () => {
    fc.assert(
      fc.property(documentText, (text) => {
        const printed = throughStore(text);
        expect(throughStore(printed)).toBe(printed);
        expect(stringifyJson(parseJson(Buffer.from(text)))).toBe(printed);
      }),
    );
  });

  // Holds value.refused-not-changed.
  it('keeps or refuses a damaged text as the reference does', () => {
    let refused = 0;
    fc.assert(
      fc.property(mutatedText, (damaged) => {
        // A lone surrogate has no UTF-8. Buffer.from replaces it, so the reference's text has to replace it too.
        const text = damaged.toWellFormed();
        const refuses = isRefused(() => reference(text), Refused);
        expect(isRefused(() => throughStore(text), InvalidJsonError, UnencodableValueError)).toBe(refuses);
        if (refuses) refused++;
        else expect(reference(throughStore(text))).toEqual(reference(text));
      }),
      { numRuns: 3000 },
    );
    expect(refused).toBeGreaterThan(500);
  });

  it('refuses whatever JSON.parse refuses', () => {
    fc.assert(
      fc.property(mutatedText, (damaged) => {
        const text = damaged.toWellFormed();
        fc.pre(isRefused(() => JSON.parse(text) as unknown, SyntaxError));
        expect(() => parseJson(Buffer.from(text))).toThrow(InvalidJsonError);
      }),
      { numRuns: 1000 },
    );
  });

  it('refuses a lone surrogate in whatever string it stands', () => {
    const lone = codeUnit(0xd800, 0xdfff);
    const wrap = fc.constantFrom(
      (text: string) => `{"a":"${text}"}`,
      (text: string) => `{"${text}":1}`,
      (text: string) => `[["a",{"b":["${text}"]}]]`,
      (text: string) => `{"a":"${'x'.repeat(100)}${text}é"}`,
    );
    fc.assert(
      fc.property(lone, wrap, (surrogate, wrapped) => {
        expect(() => throughStore(wrapped(surrogate))).toThrow(UnencodableValueError);
      }),
    );
  });

  it('refuses bytes that are not UTF-8', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6 }), (inner) => {
        const bytes = Buffer.concat([Buffer.from('["'), inner, Buffer.from('"]')]);
        const refuses = isRefused(() => reference(decoder.decode(bytes)), TypeError, Refused);
        expect(isRefused(() => parseJson(bytes), InvalidJsonError)).toBe(refuses);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([4_096, 100_000, 1_000_000])('keeps documents of %d bytes', (size) => {
    const item =
      '{"id":9007199254740993,"name":"Zoë 😀 \\"\\u0000","n":[1.5,-0,1e20,{}],"__proto__":{"then":null}}';
    const text = `{"items":[${Array(Math.ceil(size / item.length))
      .fill(item)
      .join(',')}]}`;
    expect(reference(throughStore(text))).toEqual(reference(text));
  });
});
