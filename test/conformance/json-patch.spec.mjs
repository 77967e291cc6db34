// json-patch-tests, by the working group's own editors: RFC 6902 and its errors.
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { pathOf, send } from './client.mjs';

const require = createRequire(import.meta.url);
const cases = [
  ...require('json-patch-test-suite/spec_tests.json'),
  ...require('json-patch-test-suite/tests.json'),
].filter(({ disabled, patch }) => !disabled && patch);

/** Our values are objects, so each document is a member of one, and its pointers begin there. */
const shifted = (patch) =>
  patch.map((operation) => {
    const moved = { ...operation };
    for (const name of ['path', 'from']) {
      if (typeof moved[name] === 'string' && /^(?:\/|$)/.test(moved[name])) moved[name] = `/d${moved[name]}`;
    }
    return moved;
  });

async function patched({ doc, patch }) {
  const key = 'json-patch';
  await send('PUT', `${pathOf(key)}?upsert=true`, { body: JSON.stringify({ value: { d: doc } }) });
  const body = JSON.stringify(Array.isArray(patch) ? shifted(patch) : patch);
  const answer = await send('PATCH', pathOf(key), { body, type: 'application/json-patch+json' });
  return { answer, document: (await send('GET', pathOf(key))).json().value.d };
}

describe('RFC 6902', () => {
  it.each(cases.map((one, i) => [`${i}: ${one.comment ?? JSON.stringify(one.patch).slice(0, 80)}`, one]))(
    '%s',
    async (_name, one) => {
      const { answer, document } = await patched(one);
      if (one.error === undefined) {
        expect(answer.text).toBe('{"message":"updated","status":200}');
        if ('expected' in one) expect(document).toEqual(one.expected);
      } else {
        expect(answer.text).toMatch(
          /^\{"message":"(?:invalid request body","status":400|patch test failed","status":409)\}$/,
        );
        expect(document).toEqual(one.doc);
      }
    },
  );
});
