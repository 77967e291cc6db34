import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../src/create-app.js';
import { TarantoolClient } from '../src/tarantool/tarantool-client.js';
import { TarantoolThrottlerStorage } from '../src/throttling/tarantool-throttler.storage.js';
import { answers } from './support/answers.js';
import { freePort, silent, startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const LIMIT = 50;
/** So long that no test sees two windows unless it waits for the second. */
const WINDOW_MS = 60_000;

let store: TestApp;
beforeAll(async () => {
  store = await startTestApp();
});
afterAll(() => store.stop());

const instances: NestFastifyApplication[] = [];
afterEach(() => Promise.all(instances.splice(0).map((app) => app.close())));

/** An instance that believes 127.0.0.1 of whom it forwards, so that each test is a client of its own. */
async function start(limit = LIMIT, windowMs = WINDOW_MS, trustedProxies = ['127.0.0.1']): Promise<string> {
  const { http } = store.config;
  const app = await startInstance({
    ...store.config,
    http: { ...http, trustedProxies },
    throttle: { limit, windowMs },
  });
  instances.push(app);
  return app.getUrl();
}

let clients = 0;
const newClient = (): string => `192.0.${2 + (++clients >> 8)}.${clients & 255}`;
const get = (url: string, client: string) => request(url).get('/kv/state').set('X-Forwarded-For', client);
const statuses = async (tests: PromiseLike<{ status: number }>[]): Promise<Record<number, number>> => {
  const counts: Record<number, number> = {};
  for (const { status } of await Promise.all(tests)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

describe('a client within its rate', () => {
  // Holds rate.fields, rate.window.
  it('is told the policy, and what is left of it', async () => {
    const url = await start();
    const client = newClient();
    for (const left of [49, 48, 47]) {
      const { headers } = await get(url, client).expect(200);
      expect(headers['ratelimit-policy']).toBe('"default";q=50;w=60');
      expect(headers['ratelimit']).toMatch(new RegExp(`^"default";r=${left};t=(60|59)$`));
      expect(headers['retry-after']).toBeUndefined();
    }
  });

  // Holds rate.fields.
  it('is told so on refusals too', async () => {
    const url = await start();
    const client = newClient();
    const about = async (test: request.Test) => {
      const { headers } = await test.set('X-Forwarded-For', client);
      return [headers['ratelimit-policy'], headers['ratelimit']?.replace(/t=.*/, '')];
    };
    expect(await about(request(url).get('/kv/missing'))).toEqual(['"default";q=50;w=60', '"default";r=49;']);
    expect(await about(request(url).post('/kv').send('x'))).toEqual([
      '"default";q=50;w=60',
      '"default";r=48;',
    ]);
    expect(await about(request(url).get('/kv/%zz'))).toEqual(['"default";q=50;w=60', '"default";r=47;']);
    // Refused before the rate is counted, and told what is left all the same.
    expect(await about(request(url).patch('/kv'))).toEqual(['"default";q=50;w=60', '"default";r=47;']);
  });
});

// Holds rate.fields.
describe('an answer', () => {
  const told = { 'ratelimit-policy': '"default";q=50;w=60', ratelimit: '"default";r=50;t=60' };

  it.each([
    ['get', '/nothing', 404],
    ['put', '/kv', 405],
    ['options', '/kv/state', 405],
  ] as const)(
    'to a request that is refused before it is counted tells the rate: %s %s',
    async (method, path, status) => {
      const { headers } = await request(await start())
        [method](path)
        .set('X-Forwarded-For', newClient())
        .expect(status);
      expect(headers).toMatchObject(told);
    },
  );

  it.each(['/health/live', '/health/ready'])('of %s tells nothing of it', async (path) => {
    const { headers } = await request(await start())
      .get(path)
      .expect(200);
    expect(headers).not.toHaveProperty('ratelimit');
    expect(headers).not.toHaveProperty('ratelimit-policy');
  });

  // Holds rate.without-the-store, health.not-counted.
  it('is 503 where the store cannot be asked who has had how much', async () => {
    const { config } = store;
    const tarantool = { ...config.tarantool, port: await freePort(), timeoutMs: 50 };
    const app = await createApp({ ...config, tarantool, throttle: { limit: 5, windowMs: 1000 } }, silent);
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    for (const path of ['/kv/state', '/kv', '/kv/%ff']) {
      const { headers } = await request(url).get(path).expect(503, answers.unavailable);
      expect(headers['retry-after']).toBe('1');
    }
    await request(url).post('/batch').send('{').expect(503, answers.unavailable);
    await request(url).get('/health/live').expect(200, { message: 'live', status: 200 });
    await app.close();
  });
});

describe('a client over its rate', () => {
  // Holds rate.before-the-body, status.429, rate.never-more-than-limit, setting.throttle-limit, limit.rate.
  it('gets 429 whatever it sends, and when to come back', async () => {
    const url = await start(3);
    const client = newClient();
    await Promise.all([1, 2, 3].map(() => get(url, client).expect(200)));

    const { headers } = await get(url, client).expect(429, '{"message":"too many requests","status":429}');
    expect(Number(headers['retry-after'])).toBeGreaterThanOrEqual(59);
    expect(headers['ratelimit']).toMatch(/^"default";r=0;t=(60|59)$/);

    const send = (test: request.Test) =>
      test.set('X-Forwarded-For', client).expect(429, answers.tooManyRequests);
    await send(request(url).post('/kv').set('Content-Type', 'application/json').send('{"broken'));
    await send(request(url).post('/kv').set('Content-Type', 'text/plain').send('x'));
    await send(request(url).put('/kv/%zz').send({ value: {} }));
    await send(request(url).delete('/kv/missing'));
  });

  // Holds rate.before-the-body.
  it('is counted for malformed bodies as well', async () => {
    const url = await start(10);
    const client = newClient();
    const posts = Array.from({ length: 30 }, () =>
      request(url)
        .post('/kv')
        .set('X-Forwarded-For', client)
        .set('Content-Type', 'application/json')
        .send('{"broken'),
    );
    expect(await statuses(posts)).toEqual({ 400: 10, 429: 20 });
  });

  // Holds rate.window, setting.throttle-ttl, limit.rate.
  it('is served again in the next window', async () => {
    const url = await start(2, 300);
    const client = newClient();
    const seen = new Set<number>();
    await expect
      .poll(
        async () => {
          seen.add((await get(url, client)).status);
          return [...seen];
        },
        { interval: 1 },
      )
      .toEqual([200, 429]);
    await expect.poll(async () => (await get(url, client)).status, { interval: 20 }).toBe(200);
  });

  // Holds rate.client, health.not-counted.
  it('does not slow down others, nor health', async () => {
    const url = await start(1);
    const client = newClient();
    await get(url, client).expect(200);
    await get(url, client).expect(429);
    await get(url, newClient()).expect(200);
    for (let i = 0; i < 5; i++)
      await request(url).get('/health/live').set('X-Forwarded-For', client).expect(200);
  });
});

describe('the limit', () => {
  // Holds rate.over-all-instances, rate.never-more-than-limit.
  it('holds over all instances on one store', async () => {
    const urls = await Promise.all([start(), start(), start()]);
    const client = newClient();
    const many = Array.from({ length: 300 }, (_, i) => get(urls[i % urls.length] ?? '', client));
    expect(await statuses(many)).toEqual({ 200: LIMIT, 429: 300 - LIMIT });
  });

  // Holds rate.shares.
  it('is not lost to a client that keeps asking over all instances', async () => {
    const urls = await Promise.all([start(100), start(100)]);
    const client = newClient();
    let passed = 0;
    for (let i = 0; i < 400; i++) passed += Number((await get(urls[i % 2] ?? '', client)).status === 200);
    expect(passed).toBeGreaterThanOrEqual(90);
    expect(passed).toBeLessThanOrEqual(100);
  });

  // Holds rate.client.
  it('is one for an IPv6 /64', async () => {
    const url = await start(2);
    await get(url, '2001:db8:1:2::1').expect(200);
    await get(url, '2001:db8:1:2:ffff::9').expect(200);
    await get(url, '2001:db8:1:2::3').expect(429);
    await get(url, '2001:db8:1:3::1').expect(200);
  });

  // Holds rate.client, setting.trust-proxy.
  it('believes no forwarded address of a proxy that is not trusted', async () => {
    const url = await start(2, WINDOW_MS, []);
    const answered = [await get(url, newClient()), await get(url, newClient()), await get(url, newClient())];
    expect(answered.map(({ status }) => status)).toEqual([200, 200, 429]);
  });

  // Holds rate.off, setting.throttle-limit.
  it('is off when it is 0', async () => {
    const url = await start(0);
    const client = newClient();
    const many = Array.from({ length: 100 }, () => get(url, client));
    expect(await statuses(many)).toEqual({ 200: 100 });
    expect((await get(url, client)).headers).not.toHaveProperty('ratelimit-policy');
  });
});

describe('more clients than a process knows', () => {
  // Holds limit.rate-clients.
  it('are each counted exactly, and are forgotten when their windows are over', async () => {
    const storage = new TarantoolThrottlerStorage(store.app.get(TarantoolClient), 4);
    const pass = async (windowMs: number) => {
      const names = Array.from({ length: 20 }, newClient);
      let passed = 0;
      for (let i = 0; i < 20; i++) {
        const hits = await Promise.all(names.map((name) => storage.take(name, windowMs, 16, 1)));
        passed += hits.filter(({ isBlocked }) => !isBlocked).length;
      }
      return passed;
    };
    expect(await pass(60_000)).toBe(20 * 16);
    expect(Reflect.get(storage, 'windows')).toHaveProperty('size', 4);

    const short = new TarantoolThrottlerStorage(store.app.get(TarantoolClient), 1000);
    for (let i = 0; i < 200; i++) await short.take(newClient(), 10, 1, 1);
    await expect
      .poll(
        async () => {
          await short.take(newClient(), 10, 1, 1);
          return (Reflect.get(short, 'windows') as Map<string, unknown>).size;
        },
        { interval: 1, timeout: 10_000 },
      )
      .toBeLessThan(30);
  });
});
