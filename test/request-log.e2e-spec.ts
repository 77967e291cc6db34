import { pino } from 'pino';
import request from 'supertest';
import { afterAll, beforeAll, expect, it, describe } from 'vitest';
import { createApp } from '../src/create-app.js';
import { MAX_REPEATS_PER_SECOND } from '../src/logging/repeats.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

interface Line {
  msg: string;
  route?: string | null;
  status?: number;
  kind?: string;
  suppressed?: number;
}

const REQUESTS = 40;

let store: TestApp;
beforeAll(async () => {
  store = await startTestApp({ MAX_BODY_BYTES: '4096' });
});
afterAll(() => store.stop());

/** What is logged of so many requests at once, until the application has closed. */
async function logOf(send: (url: string) => request.Test, environment: Partial<TestApp['config']> = {}) {
  const lines: Line[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line) as Line) });
  const app = await createApp({ ...store.config, ...environment }, logger);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  await Promise.all(Array.from({ length: REQUESTS }, () => send(url)));
  await app.close();
  const told = lines.filter(({ suppressed }) => suppressed !== undefined);
  return { lines, told: told.reduce((sum, { suppressed = 0 }) => sum + suppressed, 0) };
}

describe('the log of requests', () => {
  it('has one line for each that is served', async () => {
    const { lines, told } = await logOf((url) => request(url).get('/kv/missing'));
    expect(lines.filter(({ msg, route }) => msg === 'request' && route === '/kv/:key')).toHaveLength(
      REQUESTS,
    );
    expect(told).toBe(0);
  });

  // Holds limit.log-lines.
  it.each<[string, (url: string) => request.Test, Partial<TestApp['config']>?]>([
    ['an unknown path', (url) => request(url).get('/nothing')],
    ['a wrong method', (url) => request(url).patch('/kv')],
    ['health', (url) => request(url).get('/health/live')],
    [
      'what is too large',
      (url) =>
        request(url)
          .post('/kv')
          .send({ a: 'x'.repeat(5000) }),
    ],
    [
      'what is over the rate',
      (url) => request(url).get('/kv/a'),
      { throttle: { limit: 1, windowMs: 60_000 } },
    ],
  ])('has few lines of %s, and counts the others', async (_name, send, environment) => {
    const { lines, told } = await logOf(send, environment);
    const logged = lines.filter(({ msg }) => msg === 'request').length;
    expect(told).toBeGreaterThan(0);
    expect(logged + told).toBe(REQUESTS);
  });

  it('has few lines of a store that is away, and few of its causes', async () => {
    const tarantool = { ...store.config.tarantool, port: 1, timeoutMs: 50 };
    const { lines } = await logOf((url) => request(url).get('/kv/a'), { tarantool });
    expect(lines.filter(({ status }) => status === 503).length).toBeLessThanOrEqual(
      2 * MAX_REPEATS_PER_SECOND,
    );
    const causes = lines.filter(({ msg }) => msg === 'storage unavailable');
    expect(causes.length).toBeLessThanOrEqual(2 * MAX_REPEATS_PER_SECOND);
    expect(causes[0]).toMatchObject({
      reqId: expect.any(String),
      err: { message: expect.stringContaining('not connected: connect ECONNREFUSED') as unknown },
    });
  });
});
