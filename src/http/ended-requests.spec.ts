import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENDED_REQUESTS, tellEndedRequests } from './ended-requests.js';

let app: FastifyInstance;
beforeAll(() => {
  app = fastify();
  tellEndedRequests(app);
  app.get('/kv/:key', (_request, reply) => reply.code(418).send('text'));
});
afterAll(() => app.close());

describe('a request that has ended', () => {
  it('is told with its route and not its path, and how many seconds it took', async () => {
    const ended: unknown[] = [];
    const note = (request: unknown): void => void ended.push(request);
    await app.inject('/kv/before');
    ENDED_REQUESTS.subscribe(note);
    const start = performance.now();
    await app.inject('/kv/secret?a=b');
    await app.inject({ method: 'POST', url: '/nothing' });
    const tookSeconds = (performance.now() - start) / 1000;
    ENDED_REQUESTS.unsubscribe(note);
    await app.inject('/kv/after');

    const seconds: unknown = expect.any(Number);
    expect(ended).toEqual([
      { method: 'GET', route: '/kv/:key', status: 418, seconds },
      { method: 'POST', route: undefined, status: 404, seconds },
    ]);
    const told = ended.reduce<number>((sum, request) => sum + (request as { seconds: number }).seconds, 0);
    expect(told).toBeGreaterThan(0);
    expect(told).toBeLessThanOrEqual(tookSeconds);
  });
});
