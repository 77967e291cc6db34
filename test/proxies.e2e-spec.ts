import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { INSTALLED, PROXIES } from './support/proxies.js';
import { ProxyProcess } from './support/proxy-process.js';
import { send } from './support/send.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const MAX_BODY_BYTES = 100_000;
const LIMIT = 1000;

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

for (const proxy of PROXIES) {
  describe.skipIf(!INSTALLED.has(proxy))(`behind ${proxy.name}, as docs/proxies.md configures it`, () => {
    let service: TestApp;
    let running: ProxyProcess;
    let port: number;
    beforeAll(async () => {
      service = await startTestApp({
        MAX_BODY_BYTES: String(MAX_BODY_BYTES),
        ALLOWED_HOSTS: '127.0.0.1,kv.example',
        TRUST_PROXY: '127.0.0.1',
        THROTTLE_LIMIT: String(LIMIT),
        THROTTLE_TTL: '60000',
      });
      running = await ProxyProcess.start(proxy, Number(new URL(service.url).port));
      ({ port } = running);
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

    it('hands on the host that was asked for, and the origin of a page', async () => {
      const write = async (fields: Record<string, string>) =>
        (await send(port, 'PUT', '/kv/page?upsert=true', { body: { value: {} }, fields })).body;
      const Host = 'kv.example:8443';
      expect(await write({ Host, Origin: 'https://kv.example:8443' })).toMatchObject({ status: 200 });
      expect(await write({ Host, Origin: 'https://kv.example' })).toEqual(answers.crossOrigin);
      expect(await write({ Host: 'evil.example' })).toEqual(answers.misdirected);
    });

    it('hands on a request line of 14 KiB', async () => {
      const { status, body } = await send(port, 'GET', `/kv?prefix=${'x'.repeat(14 * 1024)}`);
      expect([status, body]).toEqual([400, answers.invalidQuery]);
    });

    it('lets each client have a rate of its own, whatever address it says it had', async () => {
      const left = async (localAddress: string): Promise<string> => {
        const fields = { 'X-Forwarded-For': '203.0.113.9' };
        const answer = await send(port, 'GET', '/kv/state', { localAddress, fields });
        return String(answer.fields['ratelimit']);
      };
      await left('127.0.0.21');
      await left('127.0.0.21');
      expect(await left('127.0.0.22')).toMatch(new RegExp(`^"default";r=${LIMIT - 1};`));
      expect(await left('127.0.0.21')).toMatch(new RegExp(`^"default";r=${LIMIT - 3};`));
    });
  });
}
