// Our fields that are Structured Fields (RFC 9651), read by an independent parser: RateLimit and RateLimit-Policy are lists of
// strings with parameters (draft-ietf-httpapi-ratelimit-headers-11, §3 and §4).
import { parseList } from 'structured-headers';
import { describe, expect, it } from 'vitest';
import { pathOf, send } from './client.mjs';

const read = (fields, name) => parseList(fields.get(name));

describe.each([
  ['GET', pathOf('state')],
  ['GET', pathOf('nobody')],
  ['POST', '/batch'],
])('%s %s', (method, path) => {
  it('tells the rate in fields that a parser of structured fields takes', async () => {
    const { fields } = await send(method, path, method === 'POST' ? { body: '{"operations":[]}' } : {});
    const [[policyName, policy]] = read(fields, 'ratelimit-policy');
    const [[name, left]] = read(fields, 'ratelimit').map(([text, parameters]) => [
      text,
      Object.fromEntries(parameters),
    ]);
    expect([policyName, name]).toEqual(['default', 'default']);
    expect(Object.fromEntries(policy)).toEqual({ q: 1_000_000, w: 1 });
    expect(left).toEqual({ r: expect.any(Number), t: 1 });
    expect(Number.isInteger(left.r) && left.r >= 0 && left.r <= 1_000_000).toBe(true);
  });
});
