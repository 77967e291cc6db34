import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_REPEATS_PER_SECOND } from '../logging/repeats.js';
import { logRequests } from './request-log.js';

let app: FastifyInstance;
let lines: Record<string, unknown>[];
// However long a test takes, it takes no second.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(async () => {
  await app.close();
  vi.useRealTimers();
});

function start(level: string): void {
  lines = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  app = fastify({ genReqId: () => 'id-1' });
  logRequests(app, pino({ level, base: null, timestamp: false }, { write }));
  app.get('/kv/:key', (_request, reply) => reply.code(404).send('missing'));
  app.get('/status/:status', (request, reply) =>
    reply.code(Number((request.params as { status: string }).status)).send('as asked'),
  );
  app.get('/health/live', () => 'up');
  app.get('/took/:ms', (request, reply) => {
    const value = Number((request.params as { ms: string }).ms);
    Object.defineProperty(reply, 'elapsedTime', { value });
    return 'took its time';
  });
  app.get('/without-host', (request) => {
    delete request.raw.headers.host;
    return 'has no host';
  });
}

const get = (url: string): Promise<unknown> => app.inject({ url, headers: { host: 'a' } });

describe('the log of requests', () => {
  it('has a line for each, which names the route and not the key', async () => {
    start('info');
    await get('/kv/secret?a=b');
    await get('/nothing/secret');
    const line = {
      level: 30,
      reqId: 'id-1',
      method: 'GET',
      status: 404,
      ms: expect.any(Number),
      msg: 'request',
    };
    expect(lines).toEqual([
      { ...line, route: '/kv/:key' },
      { ...line, route: null },
    ]);
  });

  it('tells how long it took, in whole microseconds', async () => {
    start('info');
    for (const ms of ['0.0004', '1.23456', '2000']) await get(`/took/${ms}`);
    expect(lines.map(({ ms }) => ms)).toEqual([0, 1.235, 2000]);
  });

  it('names the token that a request shows', async () => {
    start('info');
    app.addHook('onRequest', (request, _reply, done) => {
      request.tokenId = 'id-2';
      done();
    });
    await get('/kv/a');
    expect(lines.map(({ token }) => token)).toEqual(['id-2']);
  });

  // Holds log.trace.
  it('names the trace of a request that says its trace, and no text of a client', async () => {
    start('info');
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    for (const traceparent of [`00-${trace}-00f067aa0ba902b7-01`, `00-${trace}-secret-01`, '']) {
      await app.inject({ url: '/kv/a', headers: { host: 'a', traceparent } });
    }
    expect(lines.map((line) => line['trace'])).toEqual([trace, undefined, undefined]);
    expect(JSON.stringify(lines)).not.toContain('secret');
  });

  it('is empty where it is not wanted', async () => {
    start('warn');
    await get('/kv/a');
    expect(lines).toEqual([]);
  });

  it.each([
    ['of a route that counts', '/kv/a', 20],
    ['of 200', '/status/200', 20],
    ['of 500', '/status/500', 20],
    ['of no route', '/nothing', MAX_REPEATS_PER_SECOND],
    ['of a probe', '/health/live', MAX_REPEATS_PER_SECOND],
    ['without a host', '/without-host', MAX_REPEATS_PER_SECOND],
    ...[405, 413, 429, 431, 503, 504].map((status): [string, string, number] => [
      `of ${status}`,
      `/status/${status}`,
      MAX_REPEATS_PER_SECOND,
    ]),
  ])('has %s as many lines in a second as it may', async (_what, url, expected) => {
    start('info');
    for (let i = 0; i < 20; i++) await get(url);
    expect(lines).toHaveLength(expected);
  });

  it('tells at the end how many lines it left out, for each route and status', async () => {
    start('info');
    for (let i = 0; i < 12; i++) await get('/nothing');
    for (let i = 0; i < 12; i++) await get('/status/429');
    await app.close();
    expect(lines.slice(2 * MAX_REPEATS_PER_SECOND)).toEqual(
      ['no route 404', '/status/:status 429'].map((kind) => ({
        level: 40,
        kind,
        suppressed: 2,
        msg: 'lines like those before were not logged',
      })),
    );
  });
});
