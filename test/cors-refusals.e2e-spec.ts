import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { answersIn, exchange, untilClosed } from './support/raw.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const PAGE = 'https://app.example';
const HEAD = `GET /kv/state HTTP/1.1\r\nOrigin: ${PAGE}\r\n`;

/** Of an answer that is written by hand. */
const FOR_PAGES = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Retry-After, X-Request-Id',
};

let service: TestApp;
let listed: NestFastifyApplication;
let open: NestFastifyApplication;
/** Serves two connections, of which one client gets one. */
let small: NestFastifyApplication;
beforeAll(async () => {
  service = await startTestApp();
  const { http, limits } = service.config;
  listed = await startInstance({
    ...service.config,
    http: { ...http, allowedHosts: ['kv.example'], corsOrigins: [PAGE] },
  });
  open = await startInstance({ ...service.config, http: { ...http, corsOrigins: ['*'] } });
  small = await startInstance({
    ...service.config,
    http: { ...http, corsOrigins: [PAGE], requestTimeoutMs: 300 },
    limits: { ...limits, maxConnections: 2 },
  });
});
afterAll(async () => {
  await Promise.all([listed, open, small].map((app) => app.close()));
  await service.stop();
});

const fields = (count: number) => 'A: b\r\n'.repeat(count);

describe('CORS_ORIGINS', () => {
  // Holds browser.cors-fields.
  it.each([
    ['a repeated Host', `${HEAD}Host: a\r\nHost: b\r\n\r\n`, 400, answers.malformed],
    ['too many fields', `${HEAD}Host: a\r\n${fields(201)}\r\n`, 431, answers.headersTooLarge],
    [
      'a coding that we do not know',
      `${HEAD}Host: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n`,
      501,
      answers.notImplemented,
    ],
    ['another host', `${HEAD}Host: evil.example\r\n\r\n`, 421, answers.misdirected],
  ])(
    'lets pages of its origins read what is wrong with a request as a whole: %s',
    async (_what, bytes, status, body) => {
      const [answer] = answersIn(await exchange(await listed.getUrl(), bytes));
      expect(answer).toMatchObject({
        status,
        body: JSON.stringify(body),
        fields: {
          'access-control-allow-origin': PAGE,
          'access-control-expose-headers': expect.stringContaining('X-Request-Id') as string,
          vary: expect.stringContaining('Origin') as string,
        },
      });
    },
  );

  // Holds browser.cors-of-what-is-unread, browser.no-cors-unasked.
  it.each([
    ['what is no request', 'GET /kv/state HTTP/1.1\r\nHost\r\n\r\n', 400, answers.malformed],
    [
      'fields that are too large',
      `${HEAD}Host: a\r\nA: ${'x'.repeat(17_000)}\r\n\r\n`,
      431,
      answers.headersTooLarge,
    ],
    ['an unknown method', `FETCH /kv/state HTTP/1.1\r\nHost: a\r\n\r\n`, 501, answers.notImplemented],
  ])('lets any page read the answers that are written by hand: %s', async (_what, bytes, status, body) => {
    for (const app of [listed, open]) {
      const [answer] = answersIn(await exchange(await app.getUrl(), bytes));
      expect(answer).toMatchObject({ status, body: JSON.stringify(body), fields: FOR_PAGES });
    }
    const [closed] = answersIn(await exchange(service.url, bytes));
    expect(closed).toMatchObject({ status, body: JSON.stringify(body) });
    expect(Object.keys(closed?.fields ?? {}).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  // Holds browser.cors-of-what-is-unread.
  it('lets any page read 408, and 503 where there are too many connections', async () => {
    const url = await small.getUrl();
    const slow = untilClosed(url, HEAD);
    const [busy] = answersIn(await untilClosed(url, ''));
    expect(busy).toMatchObject({ status: 503, body: JSON.stringify(answers.busy), fields: FOR_PAGES });
    const [late] = answersIn(await slow);
    expect(late).toMatchObject({
      status: 408,
      body: JSON.stringify(answers.requestTimeout),
      fields: FOR_PAGES,
    });
  });
});
