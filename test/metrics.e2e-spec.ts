import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../src/create-app.js';
import { ENDED_REQUESTS } from '../src/http/ended-requests.js';
import { ENDED_CALLS } from '../src/tarantool/ended-calls.js';
import { answers } from './support/answers.js';
import { hasPromtool, promtool, samplesNamed, samplesOf } from './support/metrics-page.js';
import { firstAnswer } from './support/raw.js';
import { send } from './support/send.js';
import { isAlive, ServiceProcess } from './support/service-process.js';
import { silent, startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';
import { ADMIN_TOKEN } from './support/tokens.js';

const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const WAIT = { timeout: 30_000, interval: 100 };
const KEY = 'a-key-that-nobody-may-read';

describe('GET /metrics of two workers', () => {
  let service: ServiceProcess;
  const authorized = { Authorization: `Bearer ${ADMIN_TOKEN}` };
  const ask = (method: string, path: string, body?: unknown) =>
    send(service.port, method, path, { fields: authorized, ...(body !== undefined && { body }) });
  const page = async (): Promise<string> => {
    const { status, fields, body } = await ask('GET', '/metrics');
    expect([status, fields['content-type'], fields['cache-control']]).toEqual([200, TEXT, 'no-store']);
    return body as string;
  };
  const requests = (text: string): Record<string, number> =>
    Object.fromEntries(
      Object.entries(samplesNamed(text, 'kv_http_requests_total')).filter(
        ([labels]) => !/"\/(?:metrics|health)/.test(labels),
      ),
    );
  const whenThereAre = async (wanted: Record<string, number>): Promise<string> => {
    let text = '';
    const found = async (): Promise<Record<string, number>> => requests((text = await page()));
    await expect.poll(found, WAIT).toEqual(wanted);
    return text;
  };
  const label = (route: string, method: string, status: number): string =>
    `{route="${route}",method="${method}",status="${status}"}`;

  beforeAll(async () => {
    service = await ServiceProcess.start({ ADMIN_TOKEN, WORKERS: '2' });
    const sent = [
      ...Array.from({ length: 20 }, () => ask('GET', '/kv/state')),
      ...Array.from({ length: 5 }, () => ask('GET', `/kv/${KEY}-${Math.random()}`)),
      ...Array.from({ length: 3 }, (_, i) => ask('POST', '/kv', { key: `${KEY}-${i}`, value: {}, ttl: 600 })),
      ask('GET', `/nothing/${KEY}`),
      ask('OPTIONS', `/kv/${KEY}`),
      ask('PROPFIND', `/kv/${KEY}`),
    ];
    await Promise.all(sent);
    await ask('POST', '/kv', { key: `${KEY}-0`, value: {} });
    await firstAnswer(service.url, `BREW /kv/${KEY} HTTP/1.1\r\nHost: a\r\n\r\n`);
  }, 60_000);
  afterAll(() => service.remove());

  const SENT = {
    [label('/kv/:key', 'GET', 200)]: 20,
    [label('/kv/:key', 'GET', 404)]: 5,
    [label('/kv', 'POST', 200)]: 3,
    [label('/kv', 'POST', 409)]: 1,
    [label('none', 'GET', 404)]: 1,
    [label('none', 'OPTIONS', 405)]: 1,
    [label('none', 'other', 405)]: 1,
    [label('none', 'other', 501)]: 1,
  };

  // Holds metrics.all-workers.
  it('counts each request that was sent, whichever worker answered it', async () => {
    const text = await whenThereAre(SENT);
    const all = samplesOf(text);
    expect(all.get('kv_workers')).toBe(2);
    expect(all.get('kv_workers_silent')).toBe(0);
    expect(all.get('kv_store_connected')).toBe(1);
    expect(all.get('kv_entries')).toBe(4);
    expect(all.get('kv_entries_expiring')).toBe(3);
  });

  it('counts each call to the store', async () => {
    const calls = samplesNamed(await page(), 'kv_store_calls_total');
    expect(calls['{function="kv.get",outcome="answered"}']).toBe(25);
    expect(calls['{function="kv.insert",outcome="answered"}']).toBe(4);
  });

  it('has a histogram of durations, whose buckets hold all requests', async () => {
    const text = await page();
    const of = (part: string): Record<string, number> =>
      samplesNamed(text, `kv_http_request_duration_seconds_${part}`);
    expect(of('count')['{route="/kv/:key",method="GET"}']).toBe(25);
    const buckets = Object.entries(of('bucket')).filter(([labels]) =>
      labels.includes('route="/kv/:key",method="GET"'),
    );
    const counts = buckets.map(([, count]) => count);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(counts.at(-1)).toBe(25);
    expect(of('sum')['{route="/kv/:key",method="GET"}']).toBeGreaterThan(0);
  });

  // Holds metrics.nothing-secret.
  it('has no key and no token', async () => {
    const text = await page();
    expect(text).not.toContain(KEY);
    expect(text).not.toContain(ADMIN_TOKEN);
    expect(text).not.toContain('127.0.0.1');
  });

  it.skipIf(!hasPromtool)('is well formed, as promtool finds it', async () => {
    expect(promtool(['check', 'metrics'], await page())).toBe('');
  });

  // Holds metrics.never-fall.
  it('goes on counting when a worker is killed, and leaves out one that hangs', async () => {
    await whenThereAre(SENT);
    const [first = 0, second = 0] = service.workerPids;
    process.kill(first, 'SIGKILL');
    const figure = async (name: string): Promise<number | undefined> => samplesOf(await page()).get(name);
    await expect.poll(() => figure('kv_workers_ended_total'), WAIT).toBe(1);
    await expect.poll(() => figure('kv_workers'), WAIT).toBe(2);
    await ask('GET', '/kv/state');
    const after = { ...SENT, [label('/kv/:key', 'GET', 200)]: 21 };
    await whenThereAre(after);

    process.kill(second, 'SIGSTOP');
    try {
      await expect.poll(() => figure('kv_workers_silent'), WAIT).toBe(1);
      await whenThereAre(after);
    } finally {
      process.kill(second, 'SIGCONT');
    }
    await expect.poll(() => figure('kv_workers_silent'), WAIT).toBe(0);
    expect(isAlive(second)).toBe(true);
    await whenThereAre(after);
  }, 60_000);
});

describe('GET /metrics', () => {
  let store: TestApp;
  beforeAll(async () => {
    store = await startTestApp({ THROTTLE_LIMIT: '2', THROTTLE_TTL: '600000' });
  });
  afterAll(() => store.stop());
  const get = (url = store.url) => request(url).get('/metrics');
  const figure = async (name: string): Promise<number | undefined> => samplesOf((await get()).text).get(name);

  // Holds metrics.not-counted.
  it('is counted to no rate, and counts those who are over theirs', async () => {
    for (const status of [200, 200, 429, 429]) await request(store.url).get('/kv/state').expect(status);
    await expect.poll(() => figure('kv_throttled_total'), WAIT).toBe(2);
    const { headers } = await get().expect(200);
    expect(Object.keys(headers).filter((name) => /ratelimit/.test(name))).toEqual([]);
    await request(store.url).head('/metrics').expect(200).expect('Content-Type', TEXT);
    await request(store.url)
      .post('/metrics')
      .expect(405, answers.methodNotAllowed)
      .expect('Allow', 'GET, HEAD');
  });

  // Holds metrics.without-store.
  it('is answered without the figures of the store while that is away', async () => {
    const app = await createApp(
      { ...store.config, tarantool: { ...store.config.tarantool, port: 1 } },
      silent,
    );
    await app.listen(0, '127.0.0.1');
    try {
      const { text } = await get(await app.getUrl()).expect(200);
      const all = samplesOf(text);
      expect(all.get('kv_store_connected')).toBe(0);
      expect(all.has('kv_entries')).toBe(false);
    } finally {
      await app.close();
    }
  });

  // Holds setting.metrics.
  it('does not exist where it is switched off, and nobody listens', async () => {
    const own = await startInstance({ ...store.config, metrics: false });
    await request(await own.getUrl())
      .get('/metrics')
      .expect(404, answers.notFound);
    await own.close();
    await store.app.close();
    expect([ENDED_REQUESTS.hasSubscribers, ENDED_CALLS.hasSubscribers]).toEqual([false, false]);
  });
});
