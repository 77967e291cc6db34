import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { randomUUID } from 'node:crypto';
import type { Rule } from '../src/access/rule.js';
import { TarantoolClient } from '../src/tarantool/tarantool-client.js';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { firstAnswer, message } from './support/raw.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';
import { ADMIN_TOKEN, newTokenFor } from './support/tokens.js';

let service: TestApp;
let other: NestFastifyApplication;
/** An instance that needs tokens. */
let guarded: NestFastifyApplication;
beforeAll(async () => {
  service = await startTestApp();
  other = await startInstance(service.config);
  const { config } = service;
  guarded = await startInstance({ ...config, access: { adminToken: ADMIN_TOKEN } });
});
afterAll(async () => {
  await Promise.all([other.close(), guarded.close()]);
  await service.stop();
});

const { api, newKey, insert } = client(() => service.url);
const MERGE = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly fields: Record<string, string | null>;
}

interface Request {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly fields?: Record<string, string>;
}

/** Sends a request with an `Idempotency-Key`, unless its own fields have one. */
async function ask(
  { method, path, body, fields }: Request,
  key?: string,
  url = service.url,
): Promise<Answer> {
  const answer = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(key !== undefined && { 'Idempotency-Key': `"${key}"` }),
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...fields,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const names = ['etag', 'kv-version', 'kv-expires-at', 'idempotency-replayed', 'retry-after'];
  return {
    status: answer.status,
    body: await answer.json(),
    fields: Object.fromEntries(names.map((name) => [name, answer.headers.get(name)])),
  };
}

const replayOf = (first: Answer): Answer => ({
  ...first,
  fields: { ...first.fields, 'idempotency-replayed': 'true' },
});

/** Where the log of changes ends. */
async function tail(): Promise<string> {
  const { headers } = await api().get('/changes?offset=now').expect(200);
  return headers['stream-next-offset'] as string;
}

async function changesSince(offset: string): Promise<unknown[]> {
  const { body } = await api().get(`/changes?offset=${offset}`).expect(200);
  return body as unknown[];
}

/** A request of each route that takes a key, for an entry that exists, and how many changes it makes. */
const ROUTES: [name: string, requestFor: (key: string) => Request, changes?: number][] = [
  [
    'POST /kv',
    (key) => ({ method: 'POST', path: '/kv', body: { key: `${key}/new`, value: { n: 1 }, ttl: 60 } }),
  ],
  ['PUT /kv/:key', (key) => ({ method: 'PUT', path: `/kv/${key}`, body: { value: { n: 2 }, ttl: 60 } })],
  [
    'an upsert that updates',
    (key) => ({ method: 'PUT', path: `/kv/${key}?upsert=true`, body: { value: { n: 3 } } }),
  ],
  [
    'an upsert that creates',
    (key) => ({ method: 'PUT', path: `/kv/${key}-new?upsert=true`, body: { value: { n: 3 } } }),
  ],
  [
    'a merge patch',
    (key) => ({ method: 'PATCH', path: `/kv/${key}`, body: { n: 4 }, fields: { 'Content-Type': MERGE } }),
  ],
  [
    'a JSON patch',
    (key) => ({
      method: 'PATCH',
      path: `/kv/${key}`,
      body: [
        { op: 'test', path: '', value: {} },
        { op: 'add', path: '/n', value: 5 },
      ],
      fields: { 'Content-Type': JSON_PATCH },
    }),
  ],
  ['DELETE /kv/:key', (key) => ({ method: 'DELETE', path: `/kv/${key}` })],
  ['POST /kv/:key/touch', (key) => ({ method: 'POST', path: `/kv/${key}/touch`, body: { ttl: 60 } })],
  [
    'POST /txn',
    (key) => ({
      method: 'POST',
      path: '/txn',
      body: {
        success: [
          { op: 'get', key },
          { op: 'update', key, value: { z: 1, a: 2 } },
          { op: 'get', key },
          { op: 'get', key: 'nobody' },
          { op: 'insert', key: `${key}/new`, value: {}, ttl: 60 },
        ],
      },
    }),
    2,
  ],
  [
    'POST /txn that only reads',
    (key) => ({ method: 'POST', path: '/txn', body: { success: [{ op: 'get', key }] } }),
    0,
  ],
];

describe.each(ROUTES)('%s with an Idempotency-Key', (_name, requestFor, changes = 1) => {
  // Holds retry.routes, retry.replay, retry.applied-once.
  it('answers a repetition as the first time, on every instance, and changes nothing', async () => {
    const key = newKey();
    await insert(key);
    const [request, id] = [requestFor(key), randomUUID()];
    const first = await ask(request, id);
    expect(first).toMatchObject({ status: 200, fields: { 'idempotency-replayed': null } });
    const offset = await tail();
    expect(await ask(request, id)).toEqual(replayOf(first));
    expect(await ask(request, id, await other.getUrl())).toEqual(replayOf(first));
    expect(await changesSince(offset)).toEqual([]);
  });

  // Holds retry.replay.
  it('answers so also when the entry was changed and deleted since', async () => {
    const key = newKey();
    await insert(key);
    const [request, id] = [requestFor(key), randomUUID()];
    const first = await ask(request, id);
    await api()
      .put(`/kv/${key}?upsert=true`)
      .send({ value: { changed: true } })
      .expect(200);
    expect(await ask(request, id)).toEqual(replayOf(first));
    await api().delete(`/kv/${key}`).expect(200);
    expect(await ask(request, id)).toEqual(replayOf(first));
  });

  // Holds retry.reused.
  it('answers 422 to another request with the key, and changes nothing', async () => {
    const key = newKey();
    await insert(key);
    const [request, id] = [requestFor(key), randomUUID()];
    await ask(request, id);
    const offset = await tail();
    const others: Request[] = [
      { ...request, path: `${request.path}${request.path.includes('?') ? '&' : '?'}x=1` },
      { ...request, fields: { ...request.fields, 'If-Match': '*' } },
    ];
    if (request.body !== undefined) {
      const type = request.fields?.['Content-Type'] ?? 'application/json';
      others.push({ ...request, fields: { 'Content-Type': `${type};charset=utf-8` } });
    }
    for (const another of others) {
      const { status, body } = await ask(another, id);
      expect([status, body]).toEqual([422, answers.idempotencyKeyReused]);
    }
    expect(await changesSince(offset)).toEqual([]);
  });

  // Holds retry.concurrent, retry.applied-once.
  it('is applied once when 64 of the same come together by two instances', async () => {
    const key = newKey();
    await insert(key);
    const [request, id, offset] = [requestFor(key), randomUUID(), await tail()];
    const urls = [service.url, await other.getUrl()];
    const all = await Promise.all(Array.from({ length: 64 }, (_, i) => ask(request, id, urls[i % 2])));
    const replayed = all.filter(({ fields }) => fields['idempotency-replayed'] === 'true');
    const [first, ...more] = all.filter(({ fields }) => fields['idempotency-replayed'] === null);
    expect([replayed.length, more.length, first?.status]).toEqual([63, 0, 200]);
    for (const answer of replayed) expect(answer).toEqual(first && replayOf(first));

    expect(await changesSince(offset)).toHaveLength(changes);
  });
});

describe('a PATCH that is sent twice at the same time', () => {
  // Holds retry.concurrent.
  it.each(['DELETE', 'PUT'])(
    'is not refused when the other one was applied, and then a %s, before it read the entry',
    async (method) => {
      const key = newKey();
      await insert(key, { n: 1 });
      const patch: Request = {
        method: 'PATCH',
        path: `/kv/${key}`,
        body: [
          { op: 'test', path: '/n', value: 1 },
          { op: 'replace', path: '/n', value: 2 },
        ],
        fields: { 'Content-Type': JSON_PATCH },
      };
      const [id, url] = [randomUUID(), await other.getUrl()];
      let first: Answer | undefined;
      const tarantool = service.app.get(TarantoolClient);
      const call = vi.spyOn(tarantool, 'call');
      call.mockImplementationOnce(async (...question) => {
        call.mockRestore();
        const nothingYet = await tarantool.call(...question);
        first = await ask(patch, id, url);
        const body = method === 'PUT' ? { value: { n: 3 } } : undefined;
        await ask({ method, path: `/kv/${key}`, body }, undefined, url);
        return nothingYet;
      });
      const second = await ask(patch, id);
      expect(first).toMatchObject({ status: 200, fields: { 'idempotency-replayed': null } });
      expect(second).toEqual(first && replayOf(first));
    },
  );
});

describe('a refusal by the state of the store', () => {
  // Holds retry.no-refusals.
  it.each<[string, number, object, (key: string) => Request]>([
    [
      '404',
      404,
      answers.keyNotFound,
      (key) => ({ method: 'PUT', path: `/kv/${key}`, body: { value: { n: 1 } } }),
    ],
    [
      '404 of a PATCH',
      404,
      answers.keyNotFound,
      (key) => ({ method: 'PATCH', path: `/kv/${key}`, body: {}, fields: { 'Content-Type': MERGE } }),
    ],
    ['404 of a DELETE', 404, answers.keyNotFound, (key) => ({ method: 'DELETE', path: `/kv/${key}` })],
    [
      'an abort',
      409,
      { message: 'transaction aborted', status: 409, failed: [0] },
      (key) => ({ method: 'POST', path: '/txn', body: { success: [{ op: 'delete', key }] } }),
    ],
  ])('is decided anew when it is repeated: %s', async (_name, status, body, requestFor) => {
    const key = newKey();
    const [request, id] = [requestFor(key), randomUUID()];
    for (let i = 0; i < 2; i++) expect(await ask(request, id)).toMatchObject({ status, body });
    await insert(key);
    const first = await ask(request, id);
    expect(first).toMatchObject({ status: 200, fields: { 'idempotency-replayed': null } });
    expect(await ask(request, id)).toEqual(replayOf(first));
  });

  // Holds retry.no-refusals.
  it('leaves the key to another request: 409, 412, and a patch that does not fit', async () => {
    const key = newKey();
    await insert(key);
    const id = randomUUID();
    const refused: [Request, number][] = [
      [{ method: 'POST', path: '/kv', body: { key, value: {} } }, 409],
      [{ method: 'PUT', path: `/kv/${key}`, body: { value: {} }, fields: { 'If-Match': '"1"' } }, 412],
      [{ method: 'DELETE', path: `/kv/${key}`, fields: { 'If-Match': '"1"' } }, 412],
      [
        {
          method: 'PATCH',
          path: `/kv/${key}`,
          body: [{ op: 'test', path: '', value: 1 }],
          fields: { 'Content-Type': JSON_PATCH },
        },
        409,
      ],
      [
        {
          method: 'PATCH',
          path: `/kv/${key}`,
          body: {},
          fields: { 'Content-Type': MERGE, 'If-Match': '"1"' },
        },
        412,
      ],
      [{ method: 'PUT', path: `/kv/${key}`, body: { value: 1 } }, 400],
    ];
    for (const [request, status] of refused) expect(await ask(request, id)).toMatchObject({ status });
    expect(await ask({ method: 'DELETE', path: `/kv/${key}` }, id)).toMatchObject({ status: 200 });
  });
});

describe('an Idempotency-Key', () => {
  const ALL: Rule = { prefix: '', rights: ['read', 'write'] };
  const AS_ADMIN = `Authorization: Bearer ${ADMIN_TOKEN}\r\n`;
  const UNSAFE: [string, string, string | undefined][] = [
    ['POST', '/kv', '{"key":"k","value":{}}'],
    ['PUT', '/kv/state', '{"value":{}}'],
    ['PATCH', '/kv/state', '{}'],
    ['DELETE', '/kv/state', undefined],
    ['POST', '/kv/state/touch', '{"ttl":60}'],
    ['POST', '/txn', '{"success":[]}'],
    ['POST', '/batch', '{"operations":[{"op":"touch","key":"state","ttl":60}]}'],
    ['POST', '/tokens', '{"name":"a","rules":[{"prefix":"","rights":["read"]}]}'],
    ['DELETE', '/tokens/state', undefined],
    ['DELETE', '/kv?prefix=state', undefined],
  ];

  it('is refused or taken by every route that changes something, as the tests below show', () => {
    const fastify: FastifyInstance = guarded.getHttpAdapter().getInstance();
    const tree = fastify.printRoutes({ commonPrefix: false });
    const segments: string[] = [];
    const unsafe: string[] = [];
    for (const [, indent = '', segment = '', methods = ''] of tree.matchAll(
      /^(.*)[├└]── (\S+) \((.+)\)$/gm,
    )) {
      segments.splice(indent.length / 4, segments.length, segment);
      for (const method of methods.split(', ')) {
        if (!['GET', 'HEAD'].includes(method))
          unsafe.push(`${method} ${segments.join('').replace(/:(?:key|id)/, 'state')}`);
      }
    }
    expect(unsafe.toSorted()).toEqual(
      UNSAFE.map(([method, path]) => `${method} ${path.split('?', 1)[0]}`).toSorted(),
    );
  });

  // Holds retry.key-grammar, status.400-idempotency-key.
  it.each(UNSAFE)('that is malformed is refused by %s %s', async (method, path, body) => {
    const type = method === 'PATCH' ? `Content-Type: ${MERGE}\r\n` : '';
    for (const line of [
      'Idempotency-Key: k\r\n',
      'Idempotency-Key:\r\n',
      'Idempotency-Key: "a\r\nIdempotency-Key: b"\r\n',
    ]) {
      const answer = await firstAnswer(
        await guarded.getUrl(),
        message(`${method} ${path}`, body, AS_ADMIN + type + line),
      );
      expect([answer.status, JSON.parse(answer.body)]).toEqual([400, answers.invalidIdempotencyKey]);
    }
  });

  // Holds retry.own-keys.
  it('belongs to the token that the client shows', async () => {
    const url = await guarded.getUrl();
    const key = newKey();
    const id = randomUUID();
    const tokens = [await newTokenFor(url, [ALL]), await newTokenFor(url, [ALL])];
    for (const [i, { token }] of tokens.entries()) {
      const request: Request = {
        method: 'PUT',
        path: `/kv/${key}?upsert=true`,
        body: { value: { n: i } },
        fields: { Authorization: `Bearer ${token}` },
      };
      const first = await ask(request, id, url);
      expect(first).toMatchObject({ status: 200, fields: { 'idempotency-replayed': null } });
      expect(await ask(request, id, url)).toEqual(replayOf(first));
    }
  });

  // Holds retry.own-keys.
  it('does not show the answer to a token that may not write', async () => {
    const url = await guarded.getUrl();
    const { token } = await newTokenFor(url, [{ prefix: '', rights: ['read'] }]);
    const request: Request = {
      method: 'DELETE',
      path: '/kv/state',
      fields: { Authorization: `Bearer ${token}` },
    };
    expect(await ask(request, 'any', url)).toMatchObject({ status: 403 });
  });

  // Holds retry.not-for-batches.
  it.each(UNSAFE.filter(([, path]) => /^\/(?:batch|tokens|kv\?)/.test(path)))(
    'is refused by %s %s, even if it is well-formed, and nothing is done',
    async (method, path, body) => {
      const [url, offset] = [await guarded.getUrl(), await tail()];
      const answer = await firstAnswer(
        url,
        message(`${method} ${path}`, body, `${AS_ADMIN}Idempotency-Key: "a"\r\n`),
      );
      expect([answer.status, JSON.parse(answer.body)]).toEqual([400, answers.invalidIdempotencyKey]);
      expect(await changesSince(offset)).toEqual([]);
    },
  );

  // Holds retry.ignored-by-reads.
  it.each(['/kv/state', '/kv', '/changes?offset=now', '/health/ready'])(
    'is ignored by GET %s',
    async (path) => {
      const { headers } = await api().get(path).set('Idempotency-Key', 'not a String').expect(200);
      expect(headers).not.toHaveProperty('idempotency-replayed');
    },
  );

  it('is compared character by character, without its escapes', async () => {
    const key = newKey();
    await insert(key);
    const touch: Request = { method: 'POST', path: `/kv/${key}/touch`, body: { ttl: 60 } };
    const id = String.raw`a \"quoted\" \\ key`;
    const first = await ask(touch, id);
    expect(await ask(touch, id)).toEqual(replayOf(first));
    expect(await ask(touch, id.toUpperCase())).toMatchObject({ fields: { 'idempotency-replayed': null } });
  });

  // Holds retry.small-reads, limit.recorded-reads.
  it('of a transaction that reads more than 16 KiB is 413, and nothing is done', async () => {
    const key = newKey();
    await insert(key, { text: 'x'.repeat(9000) });
    const success = [
      { op: 'insert', key: `${key}/new`, value: {} },
      { op: 'get', key },
    ];
    const once: Request = { method: 'POST', path: '/txn', body: { success } };
    const twice: Request = {
      method: 'POST',
      path: '/txn',
      body: { success: [...success, { op: 'get', key }] },
    };
    const id = randomUUID();
    const { status, body } = await ask(twice, id);
    expect([status, body]).toEqual([413, answers.tooLarge]);
    await api().get(`/kv/${key}%2Fnew`).expect(404, answers.keyNotFound);
    const first = await ask(once, id);
    expect(first.status).toBe(200);
    expect(await ask(once, id)).toEqual(replayOf(first));
  });
});
