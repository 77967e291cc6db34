import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { HealthService } from '../src/health/health.service.js';
import { TarantoolClient } from '../src/tarantool/tarantool-client.js';
import { answers } from './support/answers.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const READY = { message: 'ready', status: 200 };

let store: TestApp;
beforeAll(async () => {
  store = await startTestApp({ TARANTOOL_TIMEOUT: '60000' });
});
afterAll(() => store.stop());
afterEach(() => vi.restoreAllMocks());

const ready = () => request(store.url).get('/health/ready');
const askedStore = () =>
  vi.spyOn(store.app.get(TarantoolClient), 'call').mockName('questions to the store').mock.calls;

describe('GET /health/ready', () => {
  // Holds health.ready.
  it('asks the store once, however many ask at the same time', async () => {
    const questions = askedStore();
    const asked = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => ready().expect(200, READY)));
    // An answer is good for half a second, and 50 requests may take longer than that.
    expect(questions.length).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - asked) / 500));
    // The answer does not stay good.
    await expect
      .poll(
        async () => {
          await ready().expect(200, READY);
          return questions.length;
        },
        { interval: 50 },
      )
      .toBeGreaterThanOrEqual(2);
  });

  // Holds health.ready.
  it('answers 503 while the store is frozen, after two seconds or at once, and has one question under way', async () => {
    const pid = store.tarantool.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    const questions = askedStore();
    try {
      await expect.poll(async () => (await ready()).status, { timeout: 10_000 }).toBe(503);
      await Promise.all(Array.from({ length: 20 }, () => ready().expect(503, answers.unavailable)));
      expect(questions).toHaveLength(1);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await expect.poll(async () => (await ready()).status, { timeout: 10_000 }).toBe(200);
  });

  // Holds status.503-stopping, health.ready, health.live.
  it('answers 503 from the moment of a stop, whatever the store said', async () => {
    const app = await startInstance(store.config);
    const url = await app.getUrl();
    await request(url).get('/health/ready').expect(200, READY);
    app.get(HealthService).startStopping();
    await request(url).get('/health/ready').expect(503, { message: 'shutting down', status: 503 });
    await request(url).get('/health/live').expect(200, { message: 'live', status: 200 });
    await app.close();
  });
});
