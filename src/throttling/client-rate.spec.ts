import { fastify } from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest, InjectOptions } from 'fastify';
import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { HttpConfig } from '../config/config.js';
import { HttpError } from '../http/http.errors.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { TarantoolNotSentError } from '../tarantool/tarantool-client.errors.js';
import type { TarantoolClient } from '../tarantool/tarantool-client.js';
import { ClientRate } from './client-rate.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';

const WINDOW_MS = 59_001;
const KIB = 1024;

let app: FastifyInstance;
let rate: ClientRate;
/** What the store has left for all clients. */
let left: number;
/** What a handler does, and answers. */
let handle: (request: FastifyRequest, reply: FastifyReply) => unknown;

/** Stands for the connection to the store, which has one window for all. What the store does has tests in Lua. */
const client = {
  call(_name: string, args: Buffer): Promise<MsgpackReader> {
    if (left < 0) return Promise.reject(new TarantoolNotSentError('no store'));
    const reader = new MsgpackReader(args);
    reader.arrayHeader();
    reader.skip();
    reader.skip();
    reader.skip();
    const [want, owed, whole] = [reader.integer(), reader.integer(), reader.integer()];
    left = Math.max(0, left - owed);
    const granted = whole > 0 ? (whole <= left ? whole : 0) : Math.min(want, left);
    left -= granted;
    const answer = new MsgpackWriter().arrayHeader(3).integer(granted).integer(left).integer(WINDOW_MS);
    return Promise.resolve(new MsgpackReader(answer.bytes()));
  },
} as unknown as TarantoolClient;

function start(limit: number): void {
  left = limit;
  const http = { trustedProxies: [] as readonly string[] } as HttpConfig;
  rate = new ClientRate({ limit, windowMs: WINDOW_MS }, http, new TarantoolThrottlerStorage(client));
  app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume().on('end', () => done(null));
  });
  rate.watch(app);
  app.setErrorHandler((error: Error, _request, reply) => {
    if (error instanceof HttpError) void reply.headers(error.headers);
    return reply.code(400).send((error as { code?: string }).code ?? error.message);
  });
  app.route({
    method: ['GET', 'POST'],
    url: '/',
    onRequest: async (request, reply) => {
      await rate.charge(request, reply);
    },
    handler: (request, reply) => handle(request, reply),
  });
  app.get('/left-out', (request) => {
    rate.leaveOut(request);
    return handle(request, undefined as never);
  });
}

beforeEach(() => {
  handle = () => 'passed';
  vi.spyOn(performance, 'now').mockReturnValue(1000);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await app.close();
});

const LIMIT = 80;
type Answered = [body: string, left: number | undefined];

/** The answer to a request, and how many units it says are left. */
async function answer(options: InjectOptions = {}): Promise<Answered> {
  const { body, headers } = await app.inject({ url: '/', ...options });
  const remaining = /^"default";r=(\d+);t=60$/.exec(String(headers['ratelimit'] ?? ''))?.[1];
  return [body.slice(0, 40), remaining === undefined ? undefined : Number(remaining)];
}

const charge =
  (operations: number): typeof handle =>
  async (request, reply) => {
    await rate.chargeOperations(request, reply, operations);
    return 'charged';
  };

describe('a request', () => {
  beforeEach(() => start(LIMIT));

  it('costs one unit, and its answer says the policy and what is left', async () => {
    expect(await answer()).toEqual(['passed', LIMIT - 1]);
    expect(await answer()).toEqual(['passed', LIMIT - 2]);
    const { headers } = await app.inject('/');
    expect([headers['ratelimit-policy'], headers['ratelimit']]).toEqual([
      '"default";q=80;w=60',
      '"default";r=77;t=60',
    ]);
  });

  it('costs the bytes of a chunked body too, when they have arrived', async () => {
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const post = async (headers: Record<string, string>): Promise<number> => {
      const sent = request({ port, method: 'POST', headers, agent: false }).end(Buffer.alloc(300 * KIB));
      const [{ headers: fields }] = (await once(sent, 'response')) as [IncomingMessage];
      return Number(/r=(\d+)/.exec(String(fields['ratelimit']))?.[1]);
    };
    // The part that was read together with the header is not counted.
    expect(await post({ 'Transfer-Encoding': 'chunked' })).toBe(LIMIT - 1);
    const after = async (): Promise<number> => (await answer())[1] ?? 0;
    expect(await after()).toBeLessThanOrEqual(LIMIT - 2 - 3);
    const before = await after();
    expect(before).toBeGreaterThanOrEqual(LIMIT - 3 - 5);
    expect(await post({ 'Content-Length': String(300 * KIB) })).toBe(before - 5);
    expect(await after()).toBe(before - 6);
  });

  it('is refused when nothing is left, and told when to come back', async () => {
    left = 1;
    expect(await answer()).toEqual(['passed', 0]);
    const refused = await app.inject('/');
    expect([refused.statusCode, refused.body, refused.headers['retry-after']]).toEqual([
      400,
      'TOO_MANY_REQUESTS',
      '60',
    ]);
    // Those that arrive together are refused together.
    const many = await Promise.all(Array.from({ length: 5 }, () => answer()));
    expect(many).toEqual(Array(5).fill(['TOO_MANY_REQUESTS', 0]));
  });

  it('is refused when the store cannot count it', async () => {
    left = -1;
    expect(await answer()).toEqual(['STORAGE_UNAVAILABLE', LIMIT]);
  });

  it.each([
    [68 * KIB, 1],
    [68 * KIB + 1, 2],
    [260 * KIB, 4],
  ])('of %i bytes costs %i', async (bytes, units) => {
    expect(await answer({ method: 'POST', body: Buffer.alloc(bytes) })).toEqual(['passed', LIMIT - units]);
  });

  it('of more bytes than the limit pays for costs the limit', async () => {
    const body = Buffer.alloc(68 * KIB + 2 * LIMIT * 64 * KIB);
    expect(await answer({ method: 'POST', body })).toEqual(['passed', 0]);
  });
});

describe('an answer', () => {
  beforeEach(() => start(LIMIT));

  it.each<[string, number, () => unknown]>([
    ['of little text', 1, () => 'x'.repeat(68 * KIB)],
    ['of more text', 2, () => 'x'.repeat(68 * KIB + 1)],
    ['of few characters with many bytes', 2, () => 'ä'.repeat(34 * KIB + 1)],
    ['of many bytes', 2, () => Buffer.alloc(68 * KIB + 1)],
    ['of few bytes', 1, () => Buffer.alloc(68 * KIB)],
  ])('%s costs %i', async (_name, units, body) => {
    handle = body;
    expect((await answer())[1]).toBe(LIMIT - units);
    expect((await answer())[1]).toBe(LIMIT - 2 * units);
  });

  it('of a stream costs what it says that it has', async () => {
    handle = (_request, reply) => {
      void reply.header('content-length', 68 * KIB + 1);
      return reply.send(new Blob([new Uint8Array(68 * KIB + 1)]).stream());
    };
    expect((await answer())[1]).toBe(LIMIT - 2);
  });

  it('to a request that was refused before it was counted says what is left', async () => {
    await answer();
    expect(await answer({ url: '/none' })).toEqual([expect.any(String), LIMIT - 1]);
  });

  it('to a request that is left out is counted to no rate, and says nothing of it', async () => {
    handle = () => 'x'.repeat(200 * KIB);
    expect((await answer({ url: '/left-out' }))[1]).toBeUndefined();
    handle = () => 'passed';
    expect(await answer()).toEqual(['passed', LIMIT - 1]);
  });
});

describe('operations', () => {
  beforeEach(() => start(LIMIT));

  it.each([
    [0, 1],
    [1, 1],
    [2, 2],
    [LIMIT, LIMIT],
  ])('%i of them cost %i', async (operations, units) => {
    handle = charge(operations);
    expect(await answer()).toEqual(['charged', LIMIT - units]);
  });

  it('cost what is more: themselves or the bytes of their request', async () => {
    handle = charge(3);
    expect(await answer({ method: 'POST', body: Buffer.alloc(260 * KIB) })).toEqual(['charged', LIMIT - 4]);
    handle = charge(6);
    expect(await answer({ method: 'POST', body: Buffer.alloc(260 * KIB) })).toEqual(['charged', LIMIT - 10]);
  });

  it('cost nothing at all when they are refused', async () => {
    handle = charge(LIMIT + 1);
    expect(await answer()).toEqual(['TOO_MANY_REQUESTS', LIMIT]);
    handle = charge(LIMIT);
    expect(await answer()).toEqual(['charged', 0]);
  });

  it('pay for bytes that are worked on later', async () => {
    handle = async (request, reply) => {
      await rate.chargeOperations(request, reply, 4);
      rate.owe(request, 68 * KIB);
      rate.owe(request, 260 * KIB);
      return 'x'.repeat(132 * KIB);
    };
    // One unit, three for the bytes that were owed, and one for the answer.
    expect((await answer())[1]).toBe(LIMIT - 5);
  });
});

describe('without a limit', () => {
  it('nothing is counted or told', async () => {
    start(0);
    left = -1;
    handle = charge(1000);
    const { body, headers } = await app.inject({ method: 'POST', url: '/', body: Buffer.alloc(200 * KIB) });
    expect([body, headers['ratelimit'], headers['ratelimit-policy']]).toEqual([
      'charged',
      undefined,
      undefined,
    ]);
    handle = (request) => {
      rate.owe(request, 1e9);
      return 'owed';
    };
    expect(await answer()).toEqual(['owed', undefined]);
  });
});
