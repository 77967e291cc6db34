import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answers } from './support/answers.js';
import { isInstalled, PROXIES } from './support/proxies.js';
import { ProxyProcess } from './support/proxy-process.js';
import { send } from './support/send.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const MAX_BODY_BYTES = 100_000;
const LIMIT = 1000;
const READY = { timeout: 20_000 };

const KEYS = [
  'plain',
  'a/b',
  'x/../y',
  'a b',
  '100%',
  'a+b',
  'a?b',
  'a#b',
  'a;b&c',
  'a//b',
  'größe',
  '🙂',
  '%2F',
];
const pathOf = (key: string): string => `/kv/${encodeURIComponent(key)}`;

describe.each(PROXIES.filter(isInstalled))('behind $name, as docs/proxies.md configures it', (proxy) => {
  let service: TestApp;
  let running: ProxyProcess;
  let port: number;
  beforeAll(async () => {
    service = await startTestApp({
      MAX_BODY_BYTES: String(MAX_BODY_BYTES),
      TRUST_PROXY: '127.0.0.1',
      THROTTLE_LIMIT: String(LIMIT),
      THROTTLE_TTL: '60000',
    });
    running = await ProxyProcess.start(proxy, Number(new URL(service.url).port));
    ({ port } = running);
    // HAProxy asks first whether the service is well.
    await vi.waitFor(async () => expect((await send(port, 'GET', '/health/ready')).status).toBe(200), READY);
  });
  afterAll(async () => {
    await running?.stop();
    await service.stop();
  });

  it('gives the answers of the contract', async () => {
    const entry = { key: 'test', value: { a: 1 } };
    for (const [method, path, body, status, answer] of [
      ['GET', '/kv/state', undefined, 200, { value: { status: 'ok' } }],
      ['GET', '/kv/test', undefined, 404, answers.keyNotFound],
      ['POST', '/kv', entry, 200, answers.inserted],
      ['POST', '/kv', entry, 409, answers.keyExists],
      // A cache in between must not have kept the 404.
      ['GET', '/kv/test', undefined, 200, { value: { a: 1 } }],
      ['PUT', '/kv/test', { value: { a: 2 } }, 200, answers.updated],
      ['GET', '/kv/test', undefined, 200, { value: { a: 2 } }],
      ['PUT', '/kv/test', { value: 1 }, 400, answers.invalidBody],
      ['DELETE', '/kv/test', undefined, 200, answers.deleted],
      ['GET', '/kv/test', undefined, 404, answers.keyNotFound],
      ['POST', '/kv/test', {}, 405, answers.methodNotAllowed],
    ] as const) {
      const { status: seen, body: got } = await send(port, method, path, { body });
      expect([method, path, seen, got]).toEqual([method, path, status, answer]);
    }
  });

  it.each(KEYS)('keeps the key %s', async (key) => {
    const direct = Number(new URL(service.url).port);
    await send(direct, 'POST', '/kv', { body: { key, value: { key } } });
    expect((await send(port, 'GET', pathOf(key))).body).toEqual({ value: { key } });
    expect((await send(port, 'PUT', pathOf(key), { body: { value: { seen: key } } })).body).toEqual(
      answers.updated,
    );
    expect((await send(direct, 'GET', pathOf(key))).body).toEqual({ value: { seen: key } });
    expect((await send(port, 'DELETE', pathOf(key))).body).toEqual(answers.deleted);
    expect((await send(direct, 'GET', pathOf(key))).status).toBe(404);
  });

  it('hands on a version that can be compared with, compressed or not', async () => {
    await send(port, 'POST', '/kv', { body: { key: 'cas', value: { text: 'x'.repeat(1000) } } });
    for (const encoding of ['identity', 'gzip']) {
      const { fields } = await send(port, 'GET', '/kv/cas', { fields: { 'Accept-Encoding': encoding } });
      const tag = String(fields['etag']);
      expect(tag).toMatch(/^(?:W\/)?"\d+"$/);
      expect(fields['kv-version']).toBe(/\d+/.exec(tag)?.[0]);
      const write = { body: { value: {} }, fields: { 'If-Match': tag } };
      expect((await send(port, 'PUT', '/kv/cas', write)).body).toEqual(answers.updated);
      expect((await send(port, 'PUT', '/kv/cas', write)).body).toEqual(answers.preconditionFailed);
      await send(port, 'PUT', '/kv/cas', { body: { value: { text: 'x'.repeat(1000) } } });
    }
  });

  it('answers a body that is too large by our 413, and goes on', async () => {
    const body = { key: 'large', value: { text: 'x'.repeat(2 * MAX_BODY_BYTES) } };
    for (let i = 0; i < 5; i++) {
      const { status, body: answer } = await send(port, 'POST', '/kv', { body });
      expect([status, answer]).toEqual([413, answers.tooLarge]);
      expect((await send(port, 'GET', '/kv/state')).status).toBe(200);
    }
  });

  it('lets each client have a rate of its own', async () => {
    const left = async (localAddress: string): Promise<string> => {
      const { fields } = await send(port, 'GET', '/kv/state', { localAddress });
      return String(fields['ratelimit']);
    };
    await left('127.0.0.21');
    await left('127.0.0.21');
    expect(await left('127.0.0.22')).toMatch(new RegExp(`^"default";r=${LIMIT - 1};`));
    expect(await left('127.0.0.21')).toMatch(new RegExp(`^"default";r=${LIMIT - 3};`));
  });
});
