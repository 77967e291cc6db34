import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Server } from '../src/supervisor/server.js';
import { TarantoolClient } from '../src/tarantool/tarantool-client.js';
import { answers } from './support/answers.js';
import { startFaultyStore } from './support/faulty-store.js';
import { silent, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const READY = { message: 'ready', status: 200 };
const LIVE = { message: 'live', status: 200 };

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
  // Holds health.ready, limit.readiness.
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

  // Holds health.ready, limit.readiness.
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
    const http = { ...store.config.http, port: 0 };
    const server = await Server.start({ ...store.config, http }, silent);
    const agent = new Agent({ keepAlive: true });
    const get = async (name: string): Promise<unknown[]> => {
      const sent = httpRequest({ port: server.port, path: `/health/${name}`, agent }).end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      return [answer.statusCode, JSON.parse((await answer.toArray()).join(''))];
    };
    // Two connections that are there when listening ends.
    expect(await Promise.all([get('ready'), get('live')])).toEqual([
      [200, READY],
      [200, LIVE],
    ]);
    const stopped = server.stop();
    expect(await Promise.all([get('ready'), get('live')])).toEqual([
      [503, { message: 'shutting down', status: 503 }],
      [200, LIVE],
    ]);
    expect(await stopped).toBe(true);
    agent.destroy();
  });

  // Holds health.ready.
  it('answers 503 where the store says that it takes no writes', async () => {
    const faulty = await startFaultyStore();
    await request(faulty.url).get('/health/ready').expect(503, answers.unavailable);
    await request(faulty.url).get('/health/live').expect(200, LIVE);
    await faulty.stop();
  });
});
