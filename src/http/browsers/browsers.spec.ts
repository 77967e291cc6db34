import { fastify } from 'fastify';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { refuseOtherHosts } from './allowed-hosts.js';
import { addCorsFields } from './cors.js';
import { refuseCrossOrigin } from './cross-origin.js';
import { answerPreflights } from './preflights.js';

let app: FastifyInstance;
afterEach(() => app.close());

/** A service with a route for each method, which answers 'passed'. */
function start(add: (fastify: FastifyInstance) => void): void {
  app = fastify();
  add(app);
  for (const method of ['GET', 'OPTIONS', 'POST', 'PUT', 'PATCH', 'DELETE']) {
    app.route({ method, url: '/kv', handler: () => 'passed' });
  }
  app.get('/health/live', () => 'passed');
}

/** The code of the refusal, or what the route answers. */
async function answer(options: InjectOptions): Promise<string> {
  const { body } = await app.inject({ url: '/kv', ...options });
  return body === 'passed' ? body : (JSON.parse(body) as { code: string }).code;
}

const origin = (value: string): InjectOptions['headers'] => ({ origin: value });

describe('a request for another host', () => {
  it.each([
    ['a', 'passed'],
    ['A:5000', 'passed'],
    ['b.example:', 'passed'],
    ['[::1]:80', 'passed'],
    ['c', 'MISDIRECTED_REQUEST'],
    ['a.c', 'MISDIRECTED_REQUEST'],
    ['a:80:80', 'MISDIRECTED_REQUEST'],
    ['[::1', 'MISDIRECTED_REQUEST'],
    ['x:a', 'MISDIRECTED_REQUEST'],
    ['', 'MISDIRECTED_REQUEST'],
  ])('%j is answered: %s', async (host, answered) => {
    start((fastify) => refuseOtherHosts(fastify, ['a', 'b.example', '[::1]']));
    for (let i = 0; i < 2; i++) {
      expect(await answer({ headers: { host: 'a' } })).toBe('passed');
      expect(await answer({ headers: { host } })).toBe(answered);
    }
  });

  it('passes where it asks for the health, and no other path', async () => {
    start((fastify) => refuseOtherHosts(fastify, ['a']));
    expect(await answer({ url: '/health/live', headers: { host: 'c' } })).toBe('passed');
    expect(await answer({ url: '/kv?/health/', headers: { host: 'c' } })).toBe('MISDIRECTED_REQUEST');
  });

  it('passes where none are listed', async () => {
    start((fastify) => refuseOtherHosts(fastify, []));
    expect(await answer({ headers: { host: 'c' } })).toBe('passed');
  });
});

describe('a write by a page', () => {
  const HOST = { host: 'a:5000' };

  it.each<[string, Record<string, string>, string]>([
    ['of no browser', {}, 'passed'],
    ['of the same origin', { 'sec-fetch-site': 'same-origin', origin: 'http://evil' }, 'passed'],
    ['that the user began', { 'sec-fetch-site': 'none' }, 'passed'],
    ['of another site', { 'sec-fetch-site': 'cross-site' }, 'CROSS_ORIGIN_REQUEST'],
    [
      'of another site, with our origin',
      { 'sec-fetch-site': 'cross-site', origin: 'http://a:5000' },
      'CROSS_ORIGIN_REQUEST',
    ],
    ['of the same site', { 'sec-fetch-site': 'same-site' }, 'CROSS_ORIGIN_REQUEST'],
    ['of an allowed origin', { 'sec-fetch-site': 'cross-site', origin: 'http://friend' }, 'passed'],
    ['of our origin, by its name', { origin: 'http://a:5000' }, 'passed'],
    ['of our origin, over TLS', { origin: 'https://a:5000' }, 'passed'],
    ['of another port', { origin: 'http://a:5001' }, 'CROSS_ORIGIN_REQUEST'],
    ['of no port', { origin: 'http://a' }, 'CROSS_ORIGIN_REQUEST'],
    ['of another origin', { origin: 'http://evil' }, 'CROSS_ORIGIN_REQUEST'],
    ['of an opaque origin', { origin: 'null' }, 'CROSS_ORIGIN_REQUEST'],
    ['of an origin without a host', { origin: 'file:///a' }, 'CROSS_ORIGIN_REQUEST'],
    ['with an empty field', { 'sec-fetch-site': '', origin: '' }, 'passed'],
  ])('%s is answered', async (_name, fields, answered) => {
    start((fastify) => refuseCrossOrigin(fastify, ['http://friend']));
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      expect(await answer({ method, headers: { ...HOST, ...fields } })).toBe(answered);
    }
    expect(await answer({ method: 'GET', headers: { ...HOST, ...fields } })).toBe('passed');
  });

  it('of an origin without a host is refused even without a Host', async () => {
    start((fastify) => refuseCrossOrigin(fastify, []));
    for (const own of ['file:///a', 'null', 'x:']) {
      const headers = { host: '', origin: own };
      expect(await answer({ method: 'PUT', headers })).toBe('CROSS_ORIGIN_REQUEST');
    }
  });
});

/** The fields of an answer that browsers look at. */
async function fields(options: InjectOptions): Promise<Record<string, unknown>> {
  const { headers, statusCode } = await app.inject({ url: '/kv', ...options });
  const names = ['vary', 'content-type'];
  const shown = Object.entries(headers).filter(
    ([name]) => name.startsWith('access-control-') || names.includes(name),
  );
  return { statusCode, ...Object.fromEntries(shown) };
}

const READABLE =
  'Accept-Patch, Allow, ETag, Idempotency-Replayed, KV-Expires-At, KV-Version, Link, Location, ' +
  'Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, Stream-Cursor, Stream-Next-Offset, ' +
  'Stream-Up-To-Date, X-Request-Id';
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

describe('an answer', () => {
  it.each<[string, string[], string | undefined, Record<string, string>]>([
    ['says nothing where no origin is allowed', [], 'http://b', {}],
    [
      'names the allowed origin',
      ['http://b', 'http://c'],
      'http://b',
      {
        vary: 'Origin',
        'access-control-allow-origin': 'http://b',
        'access-control-expose-headers': READABLE,
      },
    ],
    ['depends on the origin also where it is another', ['http://b'], 'http://c', { vary: 'Origin' }],
    ['depends on the origin also where there is none', ['http://b'], undefined, { vary: 'Origin' }],
    [
      'is for all where any is allowed',
      ['*'],
      undefined,
      { 'access-control-allow-origin': '*', 'access-control-expose-headers': READABLE },
    ],
  ])('%s', async (_name, origins, from, expected) => {
    start((fastify) => addCorsFields(fastify, origins));
    const headers = from === undefined ? {} : origin(from);
    expect(await fields({ headers })).toEqual({ statusCode: 200, ...TEXT, ...expected });
  });
});

describe('a preflight', () => {
  const asks = (from: string): InjectOptions => ({
    method: 'OPTIONS',
    headers: { origin: from, 'access-control-request-method': 'PUT' },
  });
  const VARY = 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers';

  it('of an allowed origin is told what it may send', async () => {
    start((fastify) => {
      addCorsFields(fastify, ['http://b']);
      answerPreflights(fastify, ['http://b']);
    });
    expect(await fields(asks('http://b'))).toEqual({
      statusCode: 204,
      vary: VARY,
      'access-control-allow-origin': 'http://b',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
      'access-control-allow-headers':
        'Accept, Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, ' +
        'Last-Event-ID, Prefer, Traceparent, Tracestate, X-Request-Id',
      'access-control-max-age': '7200',
    });
  });

  it('of another origin is told nothing', async () => {
    start((fastify) => answerPreflights(fastify, ['http://b']));
    expect(await fields(asks('http://c'))).toEqual({ statusCode: 204, vary: VARY });
  });

  it.each<[string, string[], InjectOptions]>([
    ['where no origin is allowed', [], asks('http://b')],
    ['without an origin', ['*'], { method: 'OPTIONS', headers: { 'access-control-request-method': 'PUT' } }],
    ['without a method', ['*'], { method: 'OPTIONS', headers: origin('http://b') }],
    ['by another method', ['*'], { ...asks('http://b'), method: 'GET' }],
  ])('is none %s', async (_name, origins, options) => {
    start((fastify) => answerPreflights(fastify, origins));
    expect(await answer(options)).toBe('passed');
  });
});
