import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const CHROMIUM = findOnPath('chromium');
if (!CHROMIUM) console.log('skipped: there is no chromium on PATH');

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** What only a browser has. */
interface Beacons {
  readonly navigator: { sendBeacon(url: string, body: Blob): boolean };
}

interface Seen {
  readonly status: number;
  readonly etag: string | null;
  readonly version: string | null;
  readonly body: unknown;
}

describe.skipIf(!CHROMIUM)('a page in a browser', () => {
  let service: TestApp;
  let open: NestFastifyApplication;
  let pages: Server;
  let browser: Browser;
  let page: Page;
  /** What the service has answered: method, path and status. */
  const answered: string[] = [];

  beforeAll(async () => {
    service = await startTestApp();
    const server = service.app.getHttpServer() as Server;
    server.on('request', ({ method, url }, response) =>
      response.on('close', () => answered.push(`${method} ${url} ${response.statusCode}`)),
    );
    pages = createServer((_request, response) => {
      response.setHeader('Content-Type', 'text/html').end('<title>another site</title>');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    // The service is at 127.0.0.1, so this is another site, and not only another origin.
    const origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
    open = await startInstance({
      ...service.config,
      http: { ...service.config.http, corsOrigins: [origin] },
    });
    browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: FLAGS });
    page = await browser.newPage();
    await page.goto(origin);
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    pages?.close();
    await open?.close();
    await service?.stop();
  });

  it.each([
    ['/kv', { key: 'written', value: {} }],
    ['/batch', { operations: [{ op: 'insert', key: 'written', value: {} }] }],
    ['/txn', { success: [{ op: 'insert', key: 'written', value: {} }] }],
    ['/kv/state/touch', { ttl: 1 }],
  ])(
    'of another site writes nothing by POST %s, neither without CORS nor by a beacon',
    async (path, body) => {
      answered.length = 0;
      const isSent = await page.evaluate(
        async ([url, text]) => {
          const blob = () => new Blob([text]);
          await fetch(url, { method: 'POST', mode: 'no-cors', body: blob() });
          return (globalThis as unknown as Beacons).navigator.sendBeacon(url, blob());
        },
        [`${service.url}${path}`, JSON.stringify(body)] as const,
      );
      expect(isSent).toBe(true);
      await expect.poll(() => answered).toEqual([`POST ${path} 403`, `POST ${path} 403`]);
      await request(service.url).get('/kv/written').expect(404, answers.keyNotFound);
      const { headers } = await request(service.url).get('/kv/state').expect(200);
      expect(headers).not.toHaveProperty('kv-expires-at');
    },
  );

  it('of another origin reads nothing without CORS_ORIGINS', async () => {
    const read = page.evaluate(async (url) => (await fetch(url)).text(), `${service.url}/kv/state`);
    await expect(read).rejects.toThrow('Failed to fetch');
  });

  it('of one of CORS_ORIGINS writes with If-Match, and reads versions and refusals', async () => {
    const url = await open.getUrl();
    const seen = await page.evaluate(async (base) => {
      const ask = async (
        method: string,
        path: string,
        body?: object,
        fields: Record<string, string> = {},
      ) => {
        const answer = await fetch(`${base}${path}`, {
          method,
          headers: { ...(body && { 'Content-Type': 'application/json' }), ...fields },
          ...(body && { body: JSON.stringify(body) }),
        });
        const { status, headers } = answer;
        return {
          status,
          etag: headers.get('ETag'),
          version: headers.get('KV-Version'),
          body: (await answer.json()) as unknown,
        };
      };
      const made = await ask('POST', '/kv', { key: 'page', value: { n: 1 } });
      const put = await ask('PUT', '/kv/page', { value: { n: 2 } }, { 'If-Match': made.etag ?? '' });
      const lost = await ask('PUT', '/kv/page', { value: { n: 3 } }, { 'If-Match': made.etag ?? '' });
      const got = await ask('GET', '/kv/page');
      const gone = await ask('DELETE', '/kv/page', undefined, { 'If-Match': put.etag ?? '' });
      return { made, put, lost, got, gone, missing: await ask('GET', '/kv/page') };
    }, url);
    const version = (answer: Seen) => [answer.status, answer.etag, `"${answer.version}"`, answer.body];
    expect(version(seen.made)).toEqual([200, seen.made.etag, seen.made.etag, answers.inserted]);
    expect(version(seen.put)).toEqual([200, seen.put.etag, seen.put.etag, answers.updated]);
    expect(version(seen.lost)).toEqual([412, seen.put.etag, seen.put.etag, answers.preconditionFailed]);
    expect(version(seen.got)).toEqual([200, seen.put.etag, seen.put.etag, { value: { n: 2 } }]);
    expect([seen.gone.status, seen.gone.body]).toEqual([200, answers.deleted]);
    expect([seen.missing.status, seen.missing.body]).toEqual([404, answers.keyNotFound]);
  });

  it('of one of CORS_ORIGINS reads an answer that is written by hand', async () => {
    const seen = await page.evaluate(
      async (url) => {
        const answer = await fetch(url);
        return [answer.status, (await answer.json()) as unknown, answer.headers.has('X-Request-Id')];
      },
      `${await open.getUrl()}/kv?prefix=${'x'.repeat(17_000)}`,
    );
    expect(seen).toEqual([431, answers.headersTooLarge, true]);
  });
});

function findOnPath(program: string): string | undefined {
  try {
    return execFileSync('which', [program], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
