import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import request from 'supertest';
import type { Test } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp } from '../src/create-app.js';
import { KnownTokens } from '../src/access/known-tokens.js';
import type { Rule } from '../src/access/rule.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';
import { ADMIN_TOKEN, newTokenFor, send } from './support/tokens.js';
import type { TokenOfTest } from './support/tokens.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({ ADMIN_TOKEN });
});
afterAll(() => service.stop());

const api = () => request(service.url);
const as = (test: Test, token: string) => send(test, token);
const newToken = (...rules: Rule[]): Promise<TokenOfTest> => newTokenFor(service.url, rules);
const rule = (prefix: string, ...rights: Rule['rights']): Rule => ({ prefix, rights });

const UNAUTHORIZED = { message: 'unauthorized', status: 401 };
const FORBIDDEN = { message: 'forbidden', status: 403 };
const INVALID = { message: 'invalid request body', status: 400 };
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('POST /tokens', () => {
  const post = (body: object) => as(api().post('/tokens'), ADMIN_TOKEN).send(body);

  // Holds token.create, token.shown-once, token.prefix, token.list, token.expires-at.
  it('answers the token, which is told this once', async () => {
    const rules = [rule('user/', 'read', 'write'), rule('', 'metrics')];
    const { body, headers } = await post({
      name: 'the shop',
      rules,
      expires_at: '2031-01-01T00:00:00Z',
    }).expect(200);
    const { id, token, created_at } = body as Record<string, string>;
    expect(body).toEqual({
      message: 'created',
      status: 200,
      token: expect.stringMatching(/^tkv_[\w-]{43}$/),
      id: expect.stringMatching(/^[\w-]{16}$/),
      name: 'the shop',
      rules,
      created_at: expect.stringMatching(TIME),
      expires_at: '2031-01-01T00:00:00.000Z',
    });
    expect(headers['cache-control']).toBe('no-store');
    const { body: all } = await as(api().get('/tokens'), ADMIN_TOKEN).expect(200);
    expect((all as { items: object[] }).items).toContainEqual({
      id,
      name: 'the shop',
      rules,
      created_at,
      expires_at: '2031-01-01T00:00:00.000Z',
    });
    expect(JSON.stringify(all)).not.toContain(token);
  });

  // Holds token.rules, token.admin-only.
  it.each<[string, object]>([
    ['no name', { rules: [rule('', 'read')] }],
    ['an empty name', { name: '', rules: [rule('', 'read')] }],
    ['a long name', { name: 'n'.repeat(101), rules: [rule('', 'read')] }],
    ['no rule', { name: 'n', rules: [] }],
    ['too many rules', { name: 'n', rules: Array(101).fill(rule('', 'read')) }],
    ['a rule without a prefix', { name: 'n', rules: [{ rights: ['read'] }] }],
    ['a rule without rights', { name: 'n', rules: [rule('')] }],
    ['a right that is unknown', { name: 'n', rules: [{ prefix: '', rights: ['delete'] }] }],
    ['a right twice', { name: 'n', rules: [rule('', 'read', 'read')] }],
    ['a right that is no text', { name: 'n', rules: [{ prefix: '', rights: [['read']] }] }],
    ['admin with a prefix', { name: 'n', rules: [rule('a/', 'read', 'admin')] }],
    ['metrics with a prefix', { name: 'n', rules: [rule('a/', 'metrics')] }],
    ['a prefix of no key', { name: 'n', rules: [rule('a\n', 'read')] }],
    ['a prefix longer than keys', { name: 'n', rules: [rule('a'.repeat(513), 'read')] }],
    ['an end that has passed', { name: 'n', rules: [rule('', 'read')], expires_at: '2001-01-01T00:00:00Z' }],
    ['an unknown member', { name: 'n', rules: [rule('', 'read')], token: 'mine' }],
    ['an unknown member of a rule', { name: 'n', rules: [{ ...rule('', 'read'), key: 'a' }] }],
  ])('refuses %s', async (_name, body) => {
    await post(body).expect(400, INVALID);
  });

  // Holds limit.token-rules.
  it('refuses rules that are too long together', async () => {
    const rules = Array.from({ length: 9 }, (_, i) => rule(`${i}`.padEnd(500, 'x'), 'read'));
    await post({ name: 'n', rules }).expect(413, { message: 'request body too large', status: 413 });
  });

  it('takes a prefix of a dot, which is no key by itself', async () => {
    const { token } = await newToken(rule('.', 'write'));
    await as(api().post('/kv'), token).send({ key: '.hidden', value: {} }).expect(200);
  });
});

describe('DELETE /tokens/:id', () => {
  // Holds token.delete, token.refused-within-a-second, token.known-at-once, status.404-token.
  it('takes the token back, on every instance within a second', async () => {
    const other = await startInstance(service.config);
    const { id, token } = await newToken(rule('', 'read'));
    const states = () =>
      Promise.all(
        [service.url, other].map(async (where) =>
          as(request(typeof where === 'string' ? where : await where.getUrl()).get('/kv/state'), token),
        ),
      );
    expect((await states()).map(({ status }) => status)).toEqual([200, 200]);
    await as(api().delete(`/tokens/${id}`), ADMIN_TOKEN).expect(200, { message: 'deleted', status: 200 });
    await as(api().get('/kv/state'), token).expect(401, UNAUTHORIZED);
    await expect
      .poll(async () => (await states()).map(({ status }) => status), { timeout: 1000 })
      .toEqual([401, 401]);
    await as(api().delete(`/tokens/${id}`), ADMIN_TOKEN).expect(404, {
      message: 'token not found',
      status: 404,
    });
    await other.close();
  });
});

describe('the administration of tokens', () => {
  const requests: [string, () => Test][] = [
    [
      'POST /tokens',
      () =>
        api()
          .post('/tokens')
          .send({ name: 'n', rules: [rule('', 'read')] }),
    ],
    ['GET /tokens', () => api().get('/tokens')],
    ['DELETE /tokens/:id', () => api().delete('/tokens/nobody')],
  ];

  // Holds token.admin.
  it.each(requests)('%s needs the right admin', async (_name, to) => {
    await to().expect(401, UNAUTHORIZED);
    const { token } = await newToken(rule('', 'read', 'write', 'metrics'));
    await as(to(), token).expect(403, FORBIDDEN);
    const { token: admin } = await newToken(rule('', 'admin'));
    expect([200, 404]).toContain((await as(to(), admin)).status);
  });

  // Holds token.metrics.
  it('GET /metrics needs the right metrics', async () => {
    const metrics = (): Test => api().get('/metrics');
    await metrics().expect(401, UNAUTHORIZED);
    const { token } = await newToken(rule('', 'read', 'write', 'admin'));
    await as(metrics(), token).expect(403, FORBIDDEN);
    const { token: watcher } = await newToken(rule('', 'metrics'));
    const { text } = await as(metrics(), watcher).expect(200);
    for (const secret of [ADMIN_TOKEN, token, watcher]) expect(text).not.toContain(secret);
    await as(api().get('/kv/state'), watcher).expect(403, FORBIDDEN);
  });

  // Holds token.admin-only.
  it('gives no right on entries', async () => {
    const { token } = await newToken(rule('', 'admin'));
    await as(api().get('/kv/state'), token).expect(403, FORBIDDEN);
  });
});

describe('a request', () => {
  // Holds token.required, status.401.
  it.each<[string, string | undefined]>([
    ['without a token', undefined],
    ['with an unknown token', `Bearer tkv_${'x'.repeat(43)}`],
    ['with a text that is no token', 'Bearer something'],
    ['with a part of the token', `Bearer ${ADMIN_TOKEN.slice(0, -1)}`],
    ['with more than the token', `Bearer ${ADMIN_TOKEN}x`],
    ['with two tokens', `Bearer ${ADMIN_TOKEN} ${ADMIN_TOKEN}`],
    ['with another scheme', `Basic ${ADMIN_TOKEN}`],
    ['with an empty field', ''],
  ])('%s is refused', async (_name, authorization) => {
    const test = api().get('/kv/state');
    if (authorization !== undefined) void test.set('Authorization', authorization);
    const { headers } = await test.expect(401, UNAUTHORIZED);
    expect(headers['www-authenticate']).toBe('Bearer');
  });

  // Holds token.never-in-url.
  it('with the token in its address is refused', async () => {
    await api().get(`/kv/state?access_token=${ADMIN_TOKEN}`).expect(401, UNAUTHORIZED);
  });

  it.each(['bearer', 'BEARER', 'Bearer '])('may write the scheme as "%s"', async (scheme) => {
    await api().get('/kv/state').set('Authorization', `${scheme} ${ADMIN_TOKEN}`).expect(200);
  });

  // Holds status.order-of-checks.
  it.each<[string, () => Test, number, string]>([
    ['an unknown path', () => api().get('/nothing'), 404, 'not found'],
    ['an unknown method', () => api().patch('/kv'), 405, 'method not allowed'],
    [
      'a body that is too large',
      () =>
        api()
          .post('/kv')
          .send({ a: 'x'.repeat(1_100_000) }),
      413,
      'request body too large',
    ],
    ['a body of another type', () => api().put('/kv/a').type('text').send('a'), 401, 'unauthorized'],
    ['a body that is no JSON', () => api().put('/kv/a').type('json').send('{'), 401, 'unauthorized'],
  ])('is refused for its token behind path, method and size: %s', async (_name, to, status, message) => {
    await to().expect(status, { message, status });
  });

  // Holds status.order-of-checks.
  it('is refused for its body before its rights are looked at', async () => {
    const { token } = await newToken(rule('a/', 'read'));
    await as(api().put('/kv/b'), token).type('json').send('{').expect(400, INVALID);
    await as(api().put('/kv/b'), token)
      .type('text')
      .send('a')
      .expect(415, { message: 'unsupported media type', status: 415 });
    await as(api().put('/kv/b'), token).send({ value: {} }).expect(403, FORBIDDEN);
  });

  // Holds token.health.
  it.each(['/health/live', '/health/ready'])('to %s needs no token', async (path) => {
    await api().get(path).expect(200);
    await as(api().get(path), `tkv_${'x'.repeat(43)}`).expect(200);
  });
});

describe('rights', () => {
  const KEY = 'shop/item';
  const PATH = encodeURIComponent(KEY);
  const json = (test: Test, body: object) => test.send(body);
  const patch = (type: string, body: object) => api().patch(`/kv/${PATH}`).type(type).send(body);
  const requests: [string, Rule['rights'], () => Test][] = [
    ['GET', ['read'], () => api().get(`/kv/${PATH}`)],
    ['HEAD', ['read'], () => api().head(`/kv/${PATH}`)],
    ['POST', ['write'], () => json(api().post('/kv'), { key: KEY, value: {} })],
    ['PUT', ['write'], () => json(api().put(`/kv/${PATH}`), { value: {} })],
    ['an upsert', ['write'], () => json(api().put(`/kv/${PATH}?upsert=true`), { value: {} })],
    ['a touch', ['write'], () => json(api().post(`/kv/${PATH}/touch`), { ttl: 100 })],
    ['a merge patch', ['read', 'write'], () => patch('application/merge-patch+json', { a: 1 })],
    [
      'a JSON patch',
      ['read', 'write'],
      () => patch('application/json-patch+json', [{ op: 'test', path: '/a', value: 1 }]),
    ],
    ['DELETE', ['write'], () => api().delete(`/kv/${PATH}`)],
    ['a listing', ['read'], () => api().get('/kv?prefix=shop/')],
    ['the changes', ['read'], () => api().get('/changes?prefix=shop/')],
    [
      'a comparison',
      ['read'],
      () => json(api().post('/txn'), { compare: [{ key: KEY, exists: true }], success: [] }),
    ],
    [
      'a get in a transaction',
      ['read'],
      () => json(api().post('/txn'), { success: [{ op: 'get', key: KEY }] }),
    ],
    [
      'a write in a transaction',
      ['write'],
      () => json(api().post('/txn'), { success: [{ op: 'upsert', key: KEY, value: {} }] }),
    ],
    [
      'a write if a comparison fails',
      ['write'],
      () => json(api().post('/txn'), { success: [], failure: [{ op: 'upsert', key: KEY, value: {} }] }),
    ],
  ];

  let tokens: Map<string, string>;
  beforeAll(async () => {
    const sets: Rule['rights'][] = [['read'], ['write'], ['read', 'write']];
    tokens = new Map();
    for (const rights of sets) {
      tokens.set(`inside ${rights.join()}`, (await newToken(rule('shop/', ...rights))).token);
      tokens.set(
        `outside ${rights.join()}`,
        (await newToken(rule('shop/items', ...rights), rule('sho0', ...rights))).token,
      );
    }
  });

  // Holds token.read, token.write, token.patch-needs-both, token.forbidden, token.prefix-of-listing, token.comparisons.
  it.each(requests)('%s needs %j on its keys', async (_name, needed, to) => {
    for (const given of [['read'], ['write'], ['read', 'write']]) {
      const allowed = needed.every((right) => given.includes(right));
      const { status, body } = await as(to(), tokens.get(`inside ${given.join()}`) ?? '');
      if (allowed) expect([200, 404, 409]).toContain(status);
      else expect([status, body]).toEqual([403, _name === 'HEAD' ? {} : FORBIDDEN]);
      expect((await as(to(), tokens.get(`outside ${given.join()}`) ?? '')).status).toBe(403);
    }
  });

  // Holds token.prefix-of-listing.
  it.each([
    '/kv',
    '/kv?prefix=sho',
    '/kv?start=shop/&end=shop0',
    '/changes',
    '/changes?prefix=sho',
    '/changes?live=sse',
    '/changes?live=long-poll&offset=now',
  ])('GET %s is refused where a part of it lies outside', async (path) => {
    await as(api().get(path), tokens.get('inside read') ?? '').expect(403, FORBIDDEN);
  });

  // Holds token.prefix-of-listing.
  it('are looked at on each page', async () => {
    for (const key of ['walk/1', 'walk/2']) await as(api().post('/kv'), ADMIN_TOKEN).send({ key, value: {} });
    const { body } = await as(api().get('/kv?prefix=walk/&limit=1'), ADMIN_TOKEN).expect(200);
    const page = `/kv?cursor=${(body as { next_cursor: string }).next_cursor}`;
    await as(api().get(page), (await newToken(rule('walk/', 'read'))).token).expect(200);
    await as(api().get(page), (await newToken(rule('walk/1', 'read'))).token).expect(403, FORBIDDEN);
  });

  // Holds token.batch.
  it('decide about each operation of a batch', async () => {
    const { token } = await newToken(rule('batch/', 'read', 'write'), rule('readable/', 'read'));
    const operations = [
      { op: 'upsert', key: 'batch/a', value: { n: 1 } },
      { op: 'get', key: 'batch/a' },
      { op: 'get', key: 'readable/a' },
      { op: 'upsert', key: 'readable/a', value: {} },
      { op: 'get', key: 'state' },
      { op: 'delete', key: 'state' },
    ];
    const { body } = await as(api().post('/batch'), token).send({ operations }).expect(200);
    const version = expect.stringMatching(/^\d+$/) as string;
    expect(body).toEqual({
      message: 'processed',
      status: 200,
      results: [
        { message: 'inserted', status: 200, version },
        { value: { n: 1 }, status: 200, version },
        { message: 'key not found', status: 404 },
        FORBIDDEN,
        FORBIDDEN,
        FORBIDDEN,
      ],
    });
  });

  // Holds token.txn.
  it('refuse a transaction as a whole', async () => {
    const { token } = await newToken(rule('whole/', 'read', 'write'));
    const success = [
      { op: 'upsert', key: 'whole/a', value: {} },
      { op: 'get', key: 'state' },
    ];
    await as(api().post('/txn'), token).send({ success }).expect(403, FORBIDDEN);
    await as(api().get('/kv/whole/a'), token).expect(404, { message: 'not found', status: 404 });
    await as(api().get(`/kv/${encodeURIComponent('whole/a')}`), token).expect(404, {
      message: 'key not found',
      status: 404,
    });
  });

  // Holds token.forbidden.
  it('tell of a key outside them nothing, whether it is there or not', async () => {
    const { token } = await newToken(rule('mine/', 'read', 'write'));
    const answers = await Promise.all(
      ['state', 'nobody'].map(async (key) => {
        const { status, text, headers } = await as(api().get(`/kv/${key}`), token);
        return { status, text, fields: Object.keys(headers).sort() };
      }),
    );
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.status).toBe(403);
  });
});

describe('a page of the changes that never changes', () => {
  // Holds token.private-pages.
  it('is for no cache that is shared', async () => {
    const value = { text: 'x'.repeat(900_000) };
    for (const key of ['page/1', 'page/2', 'page/3'])
      await as(api().post('/kv'), ADMIN_TOKEN).send({ key, value });
    const { headers: start } = await as(api().head('/changes'), ADMIN_TOKEN);
    for (const key of ['page/1', 'page/2', 'page/3'])
      await as(api().put(`/kv/${encodeURIComponent(key)}`), ADMIN_TOKEN).send({ value });
    const { headers } = await as(api().get(`/changes?offset=${start['stream-next-offset']}`), ADMIN_TOKEN);
    expect([headers['cache-control'], headers['vary']]).toEqual([
      'private, max-age=60, stale-while-revalidate=300',
      'Authorization',
    ]);
  });
});

describe('the rate', () => {
  let app: NestFastifyApplication;
  let url: string;
  beforeAll(async () => {
    app = await startInstance({ ...service.config, throttle: { limit: 8, windowMs: 600_000 } });
    url = await app.getUrl();
  });
  afterAll(() => app.close());

  // Holds token.rate, token.failures.
  it('is counted for each token, and for failures by address', async () => {
    const [one, two] = [await newToken(rule('', 'read')), await newToken(rule('', 'read'))];
    // Or the first request would be counted to the address too: the instance would not know the token yet.
    await app.get(KnownTokens).refresh();
    const remaining = async (token: string): Promise<unknown[]> => {
      const { status, headers } = await as(request(url).get('/kv/state'), token);
      return [status, headers['ratelimit']];
    };
    expect(await remaining(one.token)).toEqual([200, '"default";r=7;t=600']);
    expect(await remaining(one.token)).toEqual([200, '"default";r=6;t=600']);
    expect(await remaining(two.token)).toEqual([200, '"default";r=7;t=600']);
    const failures = [];
    for (let i = 0; i < 10; i++) failures.push(await remaining('wrong'));
    expect(failures.map(([status]) => status)).toEqual([...Array<number>(8).fill(401), 429, 429]);
    expect(await remaining(two.token)).toEqual([200, '"default";r=6;t=600']);
    for (let i = 0; i < 6; i++) await remaining(one.token);
    expect(await remaining(one.token)).toEqual([429, '"default";r=0;t=600']);
  });
});

describe('the log', () => {
  // Holds token.log.
  it('names the id of the token, and never the token', async () => {
    const lines: string[] = [];
    const logger = pino({ level: 'trace' }, { write: (line) => void lines.push(line) });
    const app = await createApp(service.config, logger);
    await app.listen(0, '127.0.0.1');
    const { id, token } = await newToken(rule('', 'read'));
    await as(request(await app.getUrl()).get('/kv/state'), token).expect(200);
    await as(request(await app.getUrl()).get('/kv/state'), `tkv_${'y'.repeat(43)}`).expect(401);
    await as(request(await app.getUrl()).get('/kv/state'), ADMIN_TOKEN).expect(200);
    await app.close();
    const requests = lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg }) => msg === 'request');
    expect(requests.map(({ status, token: shown }) => [status, shown])).toEqual([
      [200, id],
      [401, undefined],
      [200, 'admin'],
    ]);
    const text = lines.join('');
    for (const secret of [token, 'yyyy', ADMIN_TOKEN]) expect(text).not.toContain(secret);
  });
});

describe('a service without ADMIN_TOKEN', () => {
  // Holds token.off.
  it('needs no tokens, and has none', async () => {
    const app = await startInstance({ ...service.config, access: { adminToken: undefined } });
    const url = await app.getUrl();
    await request(url).get('/kv/state').expect(200);
    await as(request(url).get('/kv/state'), 'something').expect(200);
    await request(url).get('/tokens').expect(404, { message: 'not found', status: 404 });
    await app.close();
  });
});

describe('a service that starts anew with another ADMIN_TOKEN', () => {
  // Holds token.admin-rotation, token.durable.
  it('knows the tokens, and no longer the former one of its administrator', async () => {
    const { token } = await newToken(rule('', 'read'));
    await service.tarantool.stop();
    await service.tarantool.start();
    const app = await startInstance({
      ...service.config,
      access: { adminToken: 'quite-another-admin-token' },
    });
    const url = await app.getUrl();
    const status = async (shown: string) => (await as(request(url).get('/kv/state'), shown)).status;
    await expect.poll(() => status(token)).toBe(200);
    expect(await status('quite-another-admin-token')).toBe(200);
    expect(await status(ADMIN_TOKEN)).toBe(401);
    await app.close();
  });
});
