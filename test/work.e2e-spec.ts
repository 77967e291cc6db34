import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const LARGE = JSON.stringify({ value: { a: 'x'.repeat(700_000) } });
/** ⌈(700,000 − 68 × 1024) / 65,536⌉ */
const LARGE_UNITS = 10;

let store: TestApp;
beforeAll(async () => {
  store = await startTestApp();
  for (const [key, length] of Object.entries({ large: 700_000, full: 65_536, small: 10 })) {
    const value = { a: 'x'.repeat(length - JSON.stringify({ a: '' }).length) };
    await request(store.url).post('/kv').send({ key, value }).expect(200, answers.inserted);
  }
});
afterAll(() => store.stop());

const instances: NestFastifyApplication[] = [];
afterEach(() => Promise.all(instances.splice(0).map((app) => app.close())));

async function start(limit: number, windowMs = 60_000): Promise<string> {
  const app = await startInstance({
    ...store.config,
    http: { ...store.config.http, trustedProxies: ['127.0.0.1'] },
    throttle: { limit, windowMs },
  });
  instances.push(app);
  return app.getUrl();
}

let clients = 0;
/** A client of its own, for each test. */
function client(url: string) {
  const address = `198.51.100.${++clients}`;
  const from = (test: request.Test): request.Test => test.set('X-Forwarded-For', address);
  const api = {
    get: (path: string) => from(request(url).get(path)),
    put: (path: string) => from(request(url).put(path).set('Content-Type', 'application/json')),
    patch: (path: string) =>
      from(request(url).patch(path).set('Content-Type', 'application/merge-patch+json')),
    post: (path: string) => from(request(url).post(path)),
    batch: (operations: number) =>
      from(request(url).post('/batch')).send({
        operations: Array.from({ length: operations }, () => ({ op: 'get', key: 'small' })),
      }),
    /** What is left, by an answer that is not counted. */
    left: async (): Promise<number> => left((await from(request(url).put('/kv'))).headers),
  };
  return api;
}

function left(headers: Record<string, string>): number {
  return Number(/r=(\d+)/.exec(headers['ratelimit'] ?? '')?.[1]);
}

describe('a request costs', () => {
  // Holds rate.one-unit.
  it('one unit, up to a value of 64 KiB', async () => {
    const api = client(await start(1000));
    await api.get('/kv/full').expect(200);
    const body = JSON.stringify({ value: { a: 'x'.repeat(65_536 - 8) } });
    await api.put('/kv/full').send(body).expect(200, answers.updated);
    await api.patch('/kv/full').send('{}').expect(200, answers.updated);
    expect(await api.left()).toBe(997);
  });

  // Holds rate.bytes-count, rate.all-or-nothing.
  it('what its body costs, before it is looked at', async () => {
    const api = client(await start(1000));
    const { headers } = await api.put('/kv/large').send(LARGE).expect(200, answers.updated);
    expect(left(headers)).toBe(1000 - 1 - LARGE_UNITS);
    await api.put('/kv/large').send(`${LARGE}broken`).expect(400, answers.invalidBody);
    expect(await api.left()).toBe(1000 - 2 * (1 + LARGE_UNITS));
  });

  // Holds rate.of-one-mib.
  it('16 units to read 1 MiB, and 31 to patch it', async () => {
    const api = client(await start(1000));
    const frame = JSON.stringify({ value: { a: '' } }).length;
    const body = JSON.stringify({ value: { a: 'x'.repeat(1024 * 1024 - frame) } });
    await request(store.url).put('/kv/mib?upsert=true').type('json').send(body).expect(200);
    await api.get('/kv/mib').expect(200, body);
    expect(await api.left()).toBe(1000 - 16);
    await api.patch('/kv/mib').send('{}').expect(200, answers.updated);
    expect(await api.left()).toBe(1000 - 16 - 31);
  });

  // Holds rate.bytes-count, rate.charged-when-known.
  it('what a body costs whose length it did not declare', async () => {
    const url = await start(1000);
    const send = () =>
      fetch(`${url}/kv/large`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': '203.0.113.1' },
        body: new Blob([LARGE]).stream(),
        duplex: 'half',
      } as RequestInit);
    expect((await send()).status).toBe(200);
    const api = await request(url).put('/kv').set('X-Forwarded-For', '203.0.113.1');
    expect(left(api.headers)).toBeLessThanOrEqual(1000 - LARGE_UNITS);
    expect(left(api.headers)).toBeGreaterThanOrEqual(1000 - LARGE_UNITS - 3);
  });

  // Holds rate.bytes-count, rate.charged-when-known, rate.batch-counts-each, rate.txn-counts-each.
  it.each<[string, number, (api: ReturnType<typeof client>) => request.Test]>([
    ['its answer', LARGE_UNITS, (api) => api.get('/kv/large').expect(200)],
    ['an answer to a page', LARGE_UNITS, (api) => api.get('/kv?prefix=large').expect(200)],
    [
      'what was read for 304',
      LARGE_UNITS,
      (api) => api.get('/kv/large').set('If-None-Match', '*').expect(304),
    ],
    [
      'what PATCH reads and stores',
      2 * LARGE_UNITS,
      (api) => api.patch('/kv/large').send('{}').expect(200, answers.updated),
    ],
    [
      'what PATCH reads in vain',
      2 * LARGE_UNITS,
      (api) => api.patch('/kv/large').set('If-Match', '"1"').send('{}').expect(412),
    ],
    [
      'its operations, where they are more than its bytes',
      39,
      (api) =>
        api
          .post('/batch')
          .send({
            operations: Array.from({ length: 40 }, (_, i) => ({ op: 'get', key: i ? 'small' : 'large' })),
          })
          .expect(200),
    ],
    [
      'its bytes, where they are more than its operations',
      LARGE_UNITS,
      (api) =>
        api
          .post('/batch')
          .send({ operations: [{ op: 'get', key: 'large' }] })
          .expect(200),
    ],
    [
      'its comparisons, and the operations of both branches',
      5,
      (api) =>
        api
          .post('/txn')
          .send({
            compare: ['state', 'small'].map((key) => ({ key, exists: true })),
            success: ['state', 'small', 'missing'].map((key) => ({ op: 'get', key })),
            failure: [{ op: 'get', key: 'state' }],
          })
          .expect(200),
    ],
    ['nothing for what is not there', 0, (api) => api.get('/kv/missing').expect(404)],
  ])('%s', async (_name, units, send) => {
    const api = client(await start(1000));
    await send(api);
    expect(await api.left()).toBe(1000 - 1 - units);
  });

  // Holds rate.bytes-at-most-the-limit.
  it('not more than the limit for its bytes, so that what is large passes', async () => {
    const api = client(await start(5, 3000));
    await api.put('/kv/large').send(LARGE).expect(200, answers.updated);
    await api.get('/kv/small').expect(429, answers.tooManyRequests);
    await expect.poll(async () => (await api.get('/kv/large')).status).toBe(200);
  });

  // Holds rate.charged-when-known, rate.longer-window.
  it('time beyond its window, where it was let in and costs more than is left', async () => {
    const api = client(await start(6, 60_000));
    await api.get('/kv/small').expect(200);
    await api.get('/kv/large').expect(200);
    // One unit beyond the six is a sixth of the window.
    const retryAfter = async () => {
      const { headers } = await api.get('/kv/small').expect(429, answers.tooManyRequests);
      return Number(headers['retry-after']);
    };
    await expect.poll(retryAfter).toBeGreaterThan(65);
    expect(await retryAfter()).toBeLessThanOrEqual(70);
  });
});

describe('a batch', () => {
  // Holds rate.all-or-nothing.
  it('that is refused costs nothing, and nothing of it is carried out', async () => {
    const api = client(await start(10));
    for (let i = 0; i < 4; i++) await api.get('/kv/small').expect(200);
    for (let i = 0; i < 3; i++) await api.batch(7).expect(429, answers.tooManyRequests);
    expect(await api.left()).toBe(6);
    await api.batch(6).expect(429);
    await api.get('/kv/small').expect(200);
    expect(await api.left()).toBe(5);
  });

  // Holds rate.too-many-operations.
  it('that has more operations than the limit never passes', async () => {
    const api = client(await start(5));
    const { headers } = await api.batch(6).expect(429, answers.tooManyRequests);
    expect(left(headers)).toBe(5);
    await api.batch(5).expect(200);
  });

  // Holds rate.given-back.
  it('that is refused gets back what it cost, as often as the limit says', async () => {
    const api = client(await start(5));
    for (let i = 0; i < 5; i++) await api.batch(6).expect(429, answers.tooManyRequests);
    expect(await api.left()).toBe(5);
    await api.batch(6).expect(429, answers.tooManyRequests);
    expect(await api.left()).toBe(4);
  });

  // Holds rate.batch-counts-each, rate.txn-counts-each, rate.all-or-nothing.
  it('or a transaction that has more operations than is left is refused whole', async () => {
    const api = client(await start(4));
    const success = ['a', 'b', 'c'].map((key) => ({ op: 'insert', key: `whole ${key}`, value: {} }));
    const compare = [{ key: 'state', exists: true }];
    await api
      .post('/batch')
      .send({ operations: [...success, ...success] })
      .expect(429);
    await api
      .post('/txn')
      .send({ compare, success: [], failure: [...success, ...success] })
      .expect(429);
    await api.post('/txn').send({ compare, success }).expect(200);
    await api.get('/kv/state').expect(429, answers.tooManyRequests);
  });

  // Holds rate.batch-gets-through, rate.booked.
  it('as large as the limit passes beside ordinary requests, by waiting as Retry-After says', async () => {
    const url = await start(200, 1000);
    const api = client(url);
    let isDone = false;
    const ordinary = (async () => {
      while (!isDone) await api.get('/kv/small');
    })();
    const statuses: number[] = [];
    while (statuses.at(-1) !== 200 && statuses.length < 4) {
      const { status, headers } = await api.batch(200);
      statuses.push(status);
      const waitMs = 1000 * Number(headers['retry-after'] ?? 0);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    isDone = true;
    await ordinary;
    expect(statuses.at(-1)).toBe(200);
  });
});
