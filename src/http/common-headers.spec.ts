import { fastify } from 'fastify';
import type { FastifyInstance, onSendHookHandler } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstAnswer, message } from '../../test/support/raw.js';
import { allowedMethods, collectRoutes } from './allowed-methods.js';
import { addCommonHeaders } from './common-headers.js';
import { hookRoutes } from './hook-routes.js';
import { addVary } from './vary.js';
import { showVersion } from './version-fields.js';

let app: FastifyInstance;
let url: string;
beforeAll(async () => {
  app = fastify({ requestIdHeader: 'x-request-id' });
  collectRoutes(app);
  addCommonHeaders(app);
  hookRoutes(app, new Set(['PUT', 'PATCH']), (_request, reply, done) => {
    void reply.header('hooked', 'yes');
    done();
  });
  app.get('/state/:name', (_request, reply) => {
    void reply.code(304).header('x-allow', 'none');
    return reply.send();
  });
  const own: onSendHookHandler = (_request, reply, payload, done) => {
    void reply.header('own', 'yes');
    done(null, payload);
  };
  app.get('/own', { onSend: own }, (_request, reply) => reply.code(304).send());
  app.get('/owns', { onSend: [own] }, (_request, reply) => reply.code(304).send());
  app.get('/kv/:key', (request, reply) => {
    addVary(reply, 'Origin');
    addVary(reply, 'Accept');
    showVersion(reply, 7);
    return `allowed: ${allowedMethods(request)}`;
  });
  app.route({ method: ['PUT', 'DELETE'], url: '/kv/:key', handler: () => 'written' });
  app.post('/batch', () => 'done');
  app.patch('/batch', { onRequest: [(_request, _reply, done) => done()] }, () => 'patched');
  app.setNotFoundHandler((request) => `allowed: ${allowedMethods(request)}`);
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());

const fields = (names: string[], all: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, all[name]]));

describe('every answer', () => {
  it.each([
    ['GET', 'no-cache'],
    ['HEAD', 'no-cache'],
    ['PUT', undefined],
  ] as const)('to %s has the common fields', async (method, cacheControl) => {
    const { headers } = await app.inject({
      method,
      url: '/kv/a',
      headers: { host: 'a', 'x-request-id': 'id-1' },
    });
    const names = ['content-type', 'x-content-type-options', 'x-request-id', 'cache-control'];
    expect(fields(names, headers)).toEqual({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'id-1',
      'cache-control': cacheControl,
    });
  });

  it('is refused where the head of the request is faulty', async () => {
    const answer = await app.inject({ url: '/kv/a#b', headers: { host: 'a b' } });
    expect(answer.json()).toMatchObject({ code: 'MALFORMED_REQUEST' });
    const { body } = await firstAnswer(url, 'OPTIONS * HTTP/1.1\r\nHost: a b\r\n\r\n');
    expect(JSON.parse(body)).toMatchObject({ code: 'MALFORMED_REQUEST' });
  });

  it.each([
    ['GET', undefined],
    ['HEAD', undefined],
  ] as const)('of 304 to %s has no length', async (method, length) => {
    const { statusCode, headers } = await app.inject({ method, url: '/state/x', headers: { host: 'a' } });
    expect(statusCode).toBe(304);
    if (method === 'HEAD') expect(headers['content-length']).toBe(length);
  });

  it.each(['/own', '/owns'])('of 304 from %s is not kept from the hooks of its route', async (path) => {
    const { headers } = await app.inject({ method: 'HEAD', url: path, headers: { host: 'a' } });
    expect(fields(['own', 'content-length'], headers)).toEqual({ own: 'yes', 'content-length': undefined });
  });

  it('to HEAD has the length that the answer to GET has', async () => {
    const options = { url: '/kv/a', headers: { host: 'a' } };
    const [get, head] = [await app.inject(options), await app.inject({ ...options, method: 'HEAD' })];
    expect(head.headers['content-length']).toBe(String(get.body.length));
  });
});

describe('the methods of a path', () => {
  it.each([
    ['/kv/a', 'DELETE, GET, HEAD, PUT'],
    ['/kv/a?b=/c', 'DELETE, GET, HEAD, PUT'],
    ['/batch', 'PATCH, POST'],
    ['/batch?x', 'PATCH, POST'],
    ['/kv', 'undefined'],
    ['/kv/a/b', 'undefined'],
    ['/x/kv/a', 'undefined'],
    ['/batch/', 'undefined'],
  ])('%s are %s', async (path, allow) => {
    const { body } = await app.inject({ method: 'OPTIONS', url: path, headers: { host: 'a' } });
    expect(body).toBe(`allowed: ${allow}`);
  });

  it('are those of all paths for the server as a whole (RFC 9110 §9.3.7)', async () => {
    const { status, body, fields: sent } = await firstAnswer(url, message('OPTIONS *'));
    expect([status, body, sent['allow'], sent['content-type']]).toEqual([
      204,
      '',
      'DELETE, GET, HEAD, PATCH, POST, PUT',
      undefined,
    ]);
  });

  it('are none for a server whose routes were not collected', () => {
    expect(allowedMethods({ url: '/kv/a', server: { server: {} } } as never)).toBeUndefined();
  });
});

describe('a hook before the routes of some methods', () => {
  it.each([
    ['GET', '/kv/a', undefined],
    ['PUT', '/kv/a', 'yes'],
    ['DELETE', '/kv/a', 'yes'],
    ['POST', '/batch', undefined],
    ['PATCH', '/batch', 'yes'],
  ] as const)('%s %s: %s', async (method, path, hooked) => {
    const { headers } = await app.inject({ method, url: path, headers: { host: 'a' } });
    expect(headers['hooked']).toBe(hooked);
  });
});

describe('the fields of an entry', () => {
  it('show its version in two forms, and Vary names all that the answer depends on', async () => {
    const { headers } = await app.inject({ url: '/kv/a', headers: { host: 'a' } });
    expect(fields(['etag', 'kv-version', 'vary'], headers)).toEqual({
      etag: '"7"',
      'kv-version': '7',
      vary: 'Origin, Accept',
    });
  });
});
