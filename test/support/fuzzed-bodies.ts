import fc from 'fast-check';
import { jsonText, key, MEMBERS, object, rarely, value } from './fuzzed-values.js';

/** Characters. */
const MOST_OF_A_LIST = 70_000;

const ttl = fc.oneof(
  fc.integer({ min: 1, max: 5 }).map(String),
  fc.constantFrom('"keep"', 'null', '0', '1.5', '315360001', '"1"'),
);
const version = fc.oneof(
  fc.integer({ min: 0, max: 50 }).map((number) => `"${number}"`),
  fc.constantFrom('"*"', '"01"', '1', '"-1"', '"99999999999999999"'),
);

/** An object of known members with likely values. Some members are left out, and some have other values. */
function likely(shape: Record<string, fc.Arbitrary<string>>): fc.Arbitrary<string> {
  const members = Object.entries(shape).map(([name, arbitrary]) =>
    fc.tuple(
      fc.constant(name),
      fc.option(fc.oneof({ weight: 12, arbitrary }, jsonText), { nil: undefined, freq: 8 }),
    ),
  );
  const extra = rarely(fc.tuple(fc.constantFrom(...MEMBERS), jsonText));
  return fc
    .tuple(extra, ...members)
    .map((all) => object(all.filter((member): member is [string, string] => member?.[1] !== undefined)));
}

const keyText = key.map((text) => JSON.stringify(text));
const operation = likely({
  op: fc.constantFrom('"get"', '"insert"', '"update"', '"upsert"', '"delete"', '"touch"', '"constructor"'),
  key: keyText,
  value,
  ttl,
  if_match: version,
});
const comparison = likely({ key: keyText, exists: fc.constantFrom('true', 'false'), version });
const pointer = fc
  .array(fc.oneof(fc.constantFrom(...MEMBERS, '-', '0', '1', '~0', '~1', '~'), fc.string({ maxLength: 4 })), {
    maxLength: 4,
  })
  .map((tokens) => JSON.stringify(tokens.map((token) => `/${token}`).join('')));
const patchOperation = likely({
  op: fc.constantFrom('"add"', '"remove"', '"replace"', '"move"', '"copy"', '"test"', '"hasOwnProperty"'),
  path: pointer,
  from: pointer,
  value: jsonText,
});

/** Some items, or many copies of one, up to about the length that a body may have. */
function list(item: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 16, arbitrary: fc.array(item, { maxLength: 6 }).map((items) => `[${items.join(',')}]`) },
    fc.tuple(item, fc.integer({ min: 100, max: 1100 })).map(([one, count]) => {
      const length = Math.min(count, Math.ceil(MOST_OF_A_LIST / one.length));
      return `[${Array.from({ length }, () => one).join(',')}]`;
    }),
  );
}

export const BODIES = {
  insert: likely({ key: keyText, value, ttl }),
  update: likely({ value, ttl }),
  touch: likely({ ttl }),
  batch: likely({ operations: list(operation) }),
  txn: likely({ compare: list(comparison), success: list(operation), failure: list(operation) }),
  jsonPatch: list(patchOperation),
  mergePatch: value,
};
export const anyText = fc.oneof(...Object.values(BODIES), jsonText);

/** Bytes that are sometimes damaged. */
export function damaged(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(text, rarely(fc.tuple(fc.nat(), fc.uint8Array({ maxLength: 4 }))))
    .map(([whole, damage]) => {
      const bytes = Buffer.from(whole);
      if (!damage) return bytes;
      const at = damage[0] % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, at), damage[1], bytes.subarray(at + damage[1].length)]);
    });
}
