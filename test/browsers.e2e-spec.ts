import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { once } from 'node:events';
import { connect } from 'node:net';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpConfig } from '../src/config/config.js';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { firstAnswer } from './support/raw.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const PAGE = 'https://app.example';

let service: TestApp;
let listed: NestFastifyApplication;
let open: NestFastifyApplication;
let named: NestFastifyApplication;
beforeAll(async () => {
  service = await startTestApp();
  const { config } = service;
  const instance = (http: Partial<HttpConfig>, limit = 0) =>
    startInstance({
      ...config,
      http: { ...config.http, ...http },
      throttle: { limit, windowMs: 60_000 },
    });
  listed = await instance({ corsOrigins: [PAGE, 'http://localhost:5173'] }, 3);
  open = await instance({ corsOrigins: ['*'] });
  named = await instance({ allowedHosts: ['localhost', '127.0.0.1', '[::1]', 'kv.example'] });
});
afterAll(async () => {
  await Promise.all([listed.close(), open.close(), named.close()]);
  await service.stop();
});

const { api, newKey } = client(() => service.url);

/** Host, as `request` would send it to this service. */
const ownHost = (): string => new URL(service.url).host;

describe('a request that a page of another origin has a browser send', () => {
  const foreign: [string, Record<string, string>][] = [
    ['says that it is of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
    ['says that it is of the same site', { 'Sec-Fetch-Site': 'same-site', Origin: 'https://a.kv.example' }],
    ['has a word that we do not know', { 'Sec-Fetch-Site': 'anything' }],
    ['says two things', { 'Sec-Fetch-Site': 'same-origin, cross-site' }],
    ['has only an Origin', { Origin: 'https://evil.example' }],
    ['has an opaque origin', { Origin: 'null' }],
    ['has an origin that is none', { Origin: 'evil' }],
    ['has the right name and another port', { Origin: 'http://127.0.0.1:1' }],
    ['has the right name and the default port', { Origin: 'http://127.0.0.1' }],
  ];

  // Holds browser.cross-origin-403, browser.sec-fetch-site, browser.origin-is-host.
  it.each(foreign)('is refused with 403 where it %s', async (_what, fields) => {
    const key = newKey();
    const body = JSON.stringify({ key, value: {} });
    await api().post('/kv').set(fields).send(body).expect(403, answers.crossOrigin);
    await api().put(`/kv/state`).set(fields).send('{"value":{}}').expect(403, answers.crossOrigin);
    await api().patch('/kv/state').set(fields).send('{}').expect(403, answers.crossOrigin);
    await api().delete('/kv/state').set(fields).expect(403, answers.crossOrigin);
    await api().post('/kv/state/touch').set(fields).send('{"ttl":1}').expect(403, answers.crossOrigin);
    const operation = { op: 'insert', key, value: {} };
    const batch = JSON.stringify({ operations: [operation] });
    await api().post('/batch').set(fields).send(batch).expect(403, answers.crossOrigin);
    const txn = JSON.stringify({ success: [operation] });
    await api().post('/txn').set(fields).send(txn).expect(403, answers.crossOrigin);
    await api().get(`/kv/${key}`).expect(404, answers.keyNotFound);
    await api()
      .get('/kv/state')
      .expect(200, { value: { status: 'ok' } });
  });

  // Holds status.order-of-checks, browser.cross-origin-403.
  it('is a 404 or 405 first, reads as ever, and is refused before its size and its rate', async () => {
    const fields = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };
    await api().post('/nothing').set(fields).send('{}').expect(404, answers.notFound);
    await api().put('/kv').set(fields).send('{}').expect(405, answers.methodNotAllowed);
    await api()
      .get('/kv/state')
      .set(fields)
      .expect(200, { value: { status: 'ok' } });
    for (let i = 0; i < 5; i++) {
      const { headers } = await request(listed.getHttpServer()).post('/kv').set(fields).send('{').expect(403);
      expect(headers['ratelimit']).toBe('"default";r=3;t=60');
    }
  });
});

describe('a request that no page of another origin sends', () => {
  // Holds browser.sec-fetch-site, browser.origin-is-host, browser.other-clients.
  it.each([
    ['neither field, as of curl, Java and Go', () => ({})],
    [
      'Sec-Fetch-Site: same-origin',
      () => ({ 'Sec-Fetch-Site': 'same-origin', Origin: 'https://behind.proxy' }),
    ],
    ['Sec-Fetch-Site: none', () => ({ 'Sec-Fetch-Site': 'none' })],
    ['its own origin', () => ({ Origin: `http://${ownHost()}` })],
    ['its own origin behind TLS', () => ({ Origin: `https://${ownHost()}` })],
    ['its own origin, by another spelling', () => ({ Host: 'KV.example:443', Origin: 'https://kv.example' })],
    ['its own origin by IPv6', () => ({ Host: '[::1]:5000', Origin: 'http://[::1]:5000' })],
    ['an empty Origin', () => ({ Origin: '' })],
  ])('is carried out with %s', async (_what, fields) => {
    const key = newKey();
    const sent = api().post('/kv').type('json').set(fields());
    await sent.send(JSON.stringify({ key, value: {} })).expect(200, answers.inserted);
  });
});

describe('CORS_ORIGINS', () => {
  const preflight = (app: NestFastifyApplication, path: string, origin: string) =>
    request(app.getHttpServer()).options(path).set({
      Origin: origin,
      'Access-Control-Request-Method': 'PUT',
      'Access-Control-Request-Headers': 'content-type,if-match',
    });

  // Holds browser.no-cors-unasked.
  it('unset, leaves out every field of CORS, and preflights are 405', async () => {
    const { headers } = await api().get('/kv/state').set('Origin', PAGE).expect(200);
    expect(Object.keys(headers).filter((name) => /^access-control|^vary/.test(name))).toEqual([]);
    await preflight(service.app, '/kv/state', PAGE).expect(405, answers.methodNotAllowed);
  });

  // Holds status.order-of-checks, browser.preflights, browser.no-credentials.
  it('has preflights of its origins answered with 204, uncounted, whatever the path', async () => {
    for (const path of ['/kv/state', '/kv', '/batch', '/nothing', '/kv/a', '/kv/b']) {
      const { headers, text } = await preflight(listed, path, PAGE).expect(204);
      expect(text).toBe('');
      expect(headers).toMatchObject({
        'access-control-allow-origin': PAGE,
        'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE',
        'access-control-allow-headers': expect.stringMatching(
          /Authorization.*Content-Type.*If-Match/,
        ) as string,
        'access-control-max-age': '7200',
        vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
      });
      expect(headers).not.toHaveProperty('content-type');
      // All of the quota is left, however many of them there were.
      expect(headers['ratelimit']).toMatch(/^"default";r=3;/);
    }
  });

  // Holds browser.origin-is-listed.
  it('allows nothing to other origins', async () => {
    for (const origin of ['https://evil.example', 'null', `${PAGE}:444`, 'http://app.example']) {
      const { headers } = await preflight(listed, '/kv/state', origin).expect(204);
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(headers['vary']).toContain('Origin');
      const sent = request(listed.getHttpServer())
        .post('/kv')
        .set({ Origin: origin, 'Sec-Fetch-Site': 'cross-site' });
      await sent.send('{}').expect(403, answers.crossOrigin);
    }
  });

  // Holds browser.cors-fields, browser.origin-is-listed, browser.vary, browser.no-credentials.
  it('lets pages read what they got, refusals included, over the rate as well', async () => {
    const fields = { Origin: PAGE, 'Sec-Fetch-Site': 'cross-site' };
    const http = () => request(listed.getHttpServer());
    const got = [
      await http().get('/kv/state').set(fields).expect(200),
      await http().post('/kv').type('json').set(fields).send('{').expect(400, answers.invalidBody),
      await http().get('/kv/nobody').set(fields).expect(404, answers.keyNotFound),
      await http().get('/kv/state').set(fields).expect(429, answers.tooManyRequests),
      await http().get('/nothing').set(fields).expect(404, answers.notFound),
      await http().put('/kv').set(fields).expect(405, answers.methodNotAllowed),
      await http()
        .post('/kv')
        .set({ ...fields, 'Content-Length': '100000000' })
        .expect(413, answers.tooLarge),
    ];
    for (const { headers } of got) {
      expect(headers['access-control-allow-origin']).toBe(PAGE);
      expect(headers['vary']).toContain('Origin');
      expect(headers['access-control-expose-headers']).toMatch(/ETag.*KV-Version.*RateLimit.*X-Request-Id/);
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  // Holds browser.vary.
  it('* allows every origin, and answers do not vary by it', async () => {
    const key = newKey();
    for (const origin of ['https://anywhere.example', 'null']) {
      const { headers } = await request(open.getHttpServer())
        .put(`/kv/${key}?upsert=true`)
        .set({ Origin: origin, 'Sec-Fetch-Site': 'cross-site' })
        .send({ value: {} })
        .expect(200);
      expect(headers['access-control-allow-origin']).toBe('*');
      expect(headers).not.toHaveProperty('vary');
      const { headers: allowed } = await preflight(open, '/kv/state', origin).expect(204);
      expect(allowed['access-control-allow-origin']).toBe('*');
    }
  });

  // Holds browser.preflights.
  it('leaves other OPTIONS as they were', async () => {
    const { headers } = await request(listed.getHttpServer())
      .options('/kv/state')
      .set('Origin', PAGE)
      .expect(405, answers.methodNotAllowed);
    expect(headers).toMatchObject({
      allow: 'DELETE, GET, HEAD, PATCH, PUT',
      'access-control-allow-origin': PAGE,
    });
  });
});

describe('ALLOWED_HOSTS', () => {
  const http = () => request(named.getHttpServer());

  // Holds browser.other-hosts.
  it.each([
    'localhost',
    'LOCALHOST:5000',
    '127.0.0.1:80',
    '[::1]:5000',
    '[::1]',
    'kv.example',
    'KV.Example:443',
  ])('lets %s pass', async (host) => {
    await http()
      .get('/kv/state')
      .set('Host', host)
      .expect(200, { value: { status: 'ok' } });
  });

  // Holds status.order-of-checks, status.421, browser.other-hosts.
  it.each([
    'evil.example',
    'evil.example:5000',
    'localhost.evil.example',
    'kv.example.',
    '10.0.0.1',
    '[::2]',
    ':5000',
  ])('refuses %s with 421, whatever is asked (RFC 9110 §15.5.20)', async (host) => {
    await http().get('/kv/state').set('Host', host).expect(421, answers.misdirected);
    await http().post('/kv').set('Host', host).send('{}').expect(421, answers.misdirected);
    await http().get('/nothing').set('Host', host).expect(421, answers.misdirected);
  });

  // Holds browser.other-hosts, connection.absolute-form.
  it('looks at the authority of a target in absolute form, in place of Host (RFC 9112 §3.2.2)', async () => {
    const url = await named.getUrl();
    const ask = async (authority: string, host: string) => {
      const bytes = `GET http://${authority}/kv/state HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      const { status, body } = await firstAnswer(url, bytes);
      return [status, JSON.parse(body)];
    };
    expect(await ask('evil.example', 'kv.example')).toEqual([421, answers.misdirected]);
    expect(await ask('kv.example', 'evil.example')).toEqual([200, { value: { status: 'ok' } }]);
  });

  it('leaves health to probes, and HTTP/1.0 without Host', async () => {
    await http()
      .get('/health/live')
      .set('Host', '10.1.2.3:5000')
      .expect(200, { message: 'live', status: 200 });
    const socket = connect(Number(new URL(await named.getUrl()).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.write('GET /kv/state HTTP/1.0\r\n\r\n');
    await once(socket, 'close');
    expect(answer).toContain('{"value":{"status":"ok"}}');
  });
});
