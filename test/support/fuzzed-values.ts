import fc from 'fast-check';

/** Keys that are used repeatedly, so that requests meet each other's entries. */
const KEYS = ['state', 'a', 'b', 'c', 'caf\u00e9', '__proto__', 'constructor', 'a/b'];
const NAMES_OF_EVERY_OBJECT = [
  '__proto__',
  'constructor',
  'hasOwnProperty',
  'toString',
  'valueOf',
  'isPrototypeOf',
  'propertyIsEnumerable',
  'toLocaleString',
  'toJSON',
  'then',
  'length',
];
export const MEMBERS = [
  'key value ttl expires_at op path from if_match exists version operations compare success failure'.split(
    ' ',
  ),
  NAMES_OF_EVERY_OBJECT,
].flat();

export const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...KEYS) },
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.constantFrom('', '.', '..', '\u0000', '\ud800', 'x'.repeat(512), 'x'.repeat(513)),
);

const numberText = fc.oneof(
  fc.integer().map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
  fc.constantFrom('1e400', '-0', '9e15', '1E-400', '18446744073709551615', '18446744073709551616', '01'),
);

const texts = fc.letrec<{ text: string; object: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    fc.constantFrom('null', 'true', 'false', '""', '{}', '[]', '"\\ud800"', '"\\u0000"', '*'),
    numberText,
    key.map((text) => JSON.stringify(text)),
    tie('object'),
    fc.array(tie('text'), { maxLength: 5 }).map((items) => `[${items.join(',')}]`),
  ),
  object: fc
    .array(fc.tuple(fc.oneof(fc.constantFrom(...MEMBERS), fc.string({ maxLength: 8 })), tie('text')), {
      maxLength: 5,
    })
    .map((members) => object(members)),
}));

/** A text that nearly always is JSON. It may hold what `JSON.stringify` cannot write. */
export const jsonText = texts.text;

export function rarely<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
}

export function object(members: readonly (readonly [string, string])[]): string {
  return `{${members.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;
}

const nested = fc
  .tuple(fc.constantFrom('[', '{"a":', '{"value":', '[{"b":'), fc.integer({ min: 1, max: 8000 }))
  .map(([opening, levels]) => {
    const closing = Array.from(opening)
      .filter((character) => '[{'.includes(character))
      .map((character) => (character === '[' ? ']' : '}'))
      .toReversed()
      .join('');
    return `${opening.repeat(levels)}0${closing.repeat(levels)}`;
  });

export const value = fc.oneof(
  { weight: 40, arbitrary: texts.object },
  { weight: 5, arbitrary: jsonText },
  nested,
  fc.integer({ min: 1, max: 70_000 }).map((length) => `{"long":"${'x'.repeat(length)}"}`),
  fc.integer({ min: 1, max: 12_000 }).map((count) => `{"many":[${'9e15,'.repeat(count)}0]}`),
);
