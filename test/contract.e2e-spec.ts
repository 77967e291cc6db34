import type { Test } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

const { api } = client(() => service.url);
const post = (key: unknown, value: unknown): Test =>
  api()
    .post('/kv')
    .send({ key, value } as object);
const path = (key: string): string => `/kv/${encodeURIComponent(key)}`;

describe('a fresh store', () => {
  // Holds entry.fresh-store.
  it('holds the entry `state`', async () => {
    await api().get('/kv/state').expect(200, '{"value":{"status":"ok"}}');
  });
});

describe('POST /kv', () => {
  // Holds entry.insert.
  it('inserts an entry', async () => {
    await post('insert', { a: 1 }).expect(200, '{"message":"inserted","status":200}');
    await api().get('/kv/insert').expect(200, '{"value":{"a":1}}');
  });

  // Holds entry.insert, entry.post-creates-put-replaces.
  it('answers 409 when the key exists, and changes nothing', async () => {
    await post('twice', { a: 1 }).expect(200);
    await post('twice', { a: 2 }).expect(409, '{"message":"key already exists","status":409}');
    await api().get('/kv/twice').expect(200, '{"value":{"a":1}}');
  });

  // Holds entry.one-insert-wins.
  it('lets exactly one of many at once insert a key', async () => {
    const statuses = await Promise.all(
      Array.from({ length: 40 }, () => post('race', {}).then((r) => r.status)),
    );
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 39 }, () => 409)]);
  });
});

// Holds entry.read.
describe('GET /kv/:key', () => {
  it('answers 404 when the key does not exist', async () => {
    await api().get('/kv/missing').expect(404, '{"message":"key not found","status":404}');
  });
});

describe('HEAD /kv/:key', () => {
  // Holds entry.head.
  it('answers as GET without the body', async () => {
    const { headers, text } = await api().head('/kv/state').expect(200);
    expect(text).toBeUndefined();
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'content-length': String('{"value":{"status":"ok"}}'.length),
    });
    await api().head('/kv/missing').expect(404);
  });
});

describe('PUT /kv/:key', () => {
  // Holds entry.replace.
  it('replaces the value', async () => {
    await post('update', { a: 1, b: 2 }).expect(200);
    await api()
      .put('/kv/update')
      .send({ value: { c: 3 } })
      .expect(200, '{"message":"updated","status":200}');
    await api().get('/kv/update').expect(200, '{"value":{"c":3}}');
  });

  // Holds entry.replace, entry.post-creates-put-replaces.
  it('answers 404 when the key does not exist, and creates nothing', async () => {
    await api().put('/kv/never').send({ value: {} }).expect(404, answers.keyNotFound);
    await api().get('/kv/never').expect(404, answers.keyNotFound);
  });
});

// Holds entry.delete.
describe('DELETE /kv/:key', () => {
  it('deletes the entry', async () => {
    await post('delete', {}).expect(200);
    await api().delete('/kv/delete').expect(200, '{"message":"deleted","status":200}');
    await api().get('/kv/delete').expect(404, answers.keyNotFound);
    await post('delete', {}).expect(200, answers.inserted);
  });

  it('answers 404 when the key does not exist', async () => {
    await api().delete('/kv/missing').expect(404, answers.keyNotFound);
  });

  // Holds body.ignored.
  it('pays no attention to a body', async () => {
    await post('delete-body', {}).expect(200);
    await api().delete('/kv/delete-body').send({ anything: 1 }).expect(200, answers.deleted);
  });
});

// Holds entry.query-ignored.
describe('a query', () => {
  it('is ignored, whatever it is', async () => {
    await api().post('/kv?a=b').send({ key: 'query', value: {} }).expect(200, answers.inserted);
    await api().get('/kv/query?limit=x&upsert=x&%zz').expect(200, '{"value":{}}');
    await api().put('/kv/query?key=other').send({ value: {} }).expect(200, answers.updated);
    await api().delete('/kv/query?').expect(200, answers.deleted);
  });
});

describe('an invalid body', () => {
  const refused: [string, string][] = [
    ['nothing', ''],
    ['no JSON', '{"key":"k","value":{}'],
    ['text after the JSON', '{"key":"k","value":{}} x'],
    ['a byte order mark', '\uFEFF{"key":"k","value":{}}'],
    ['an array', '[]'],
    ['null', 'null'],
    ['a number', '1'],
    ['no key', '{"value":{}}'],
    ['no value', '{"key":"k"}'],
    ['a key that is a number', '{"key":1,"value":{}}'],
    ['a key that is null', '{"key":null,"value":{}}'],
    ['an unknown member', '{"key":"k","value":{},"more":1}'],
    ['`__proto__` beside the value', '{"key":"k","value":{},"__proto__":{}}'],
    ['`constructor` beside the value', '{"key":"k","value":{},"constructor":{}}'],
    ['a value that is an array', '{"key":"k","value":[]}'],
    ['a value that is a string', '{"key":"k","value":"s"}'],
    ['a value that is a number', '{"key":"k","value":1}'],
    ['a value that is a boolean', '{"key":"k","value":true}'],
    ['a value that is null', '{"key":"k","value":null}'],
    ['a lone surrogate', '{"key":"k","value":{"a":"\\ud800"}}'],
    ['a lone surrogate in a name', '{"key":"k","value":{"\\udc00":1}}'],
    ['an integer beyond 2^64-1', '{"key":"k","value":{"a":18446744073709551616}}'],
    ['an integer below -2^63', '{"key":"k","value":{"a":-9223372036854775809}}'],
    ['a number beyond a double', '{"key":"k","value":{"a":1e400}}'],
    ['nesting of 65 levels', `{"key":"k","value":${'{"a":'.repeat(64)}{}${'}'.repeat(65)}`],
  ];

  // Holds value.object, value.refused-not-changed, answer.envelope, status.400-body, limit.depth.
  it.each(refused)('is refused with 400: %s', async (_what, body) => {
    await api()
      .post('/kv')
      .set('Content-Type', 'application/json')
      .send(body)
      .expect(400, '{"message":"invalid request body","status":400}');
    await api().get('/kv/k').expect(404);
  });

  // Holds entry.replace.
  it('is refused by PUT as by POST', async () => {
    for (const body of ['', '{}', '{"value":[]}', '{"value":{},"key":"state"}']) {
      await api()
        .put('/kv/state')
        .set('Content-Type', 'application/json')
        .send(body)
        .expect(400, answers.invalidBody);
    }
  });

  // Holds value.refused-not-changed.
  it('is refused when it is not UTF-8', async () => {
    const body = Buffer.from('{"key":"k","value":{"a":"\xff"}}', 'latin1');
    const answer = await fetch(`${service.url}/kv`, { method: 'POST', body });
    expect([answer.status, await answer.json()]).toEqual([400, answers.invalidBody]);
  });

  // Holds value.refused-not-changed, limit.depth.
  it('may be nested as deep as the limit', async () => {
    const value = `${'{"a":'.repeat(63)}{}${'}'.repeat(63)}`;
    await api()
      .post('/kv')
      .set('Content-Type', 'application/json')
      .send(`{"key":"deep","value":${value}}`)
      .expect(200);
    await api().get('/kv/deep').expect(200, `{"value":${value}}`);
  });
});

describe('a key', () => {
  const legal = [
    'a',
    'a/b',
    'a b',
    '%',
    '%2F',
    '?',
    '#',
    '..a',
    '...',
    'ключ',
    '😀',
    '__proto__',
    'constructor',
    'x'.repeat(512),
    'é'.repeat(256),
    '\u2028',
    ':id',
    '*',
    'a+b&c=d;e',
    '"',
    '\\',
  ];

  // Holds key.legal, key.percent-encoded, key.reachable, limit.key.
  it.each(legal)('may be %j, in the body and in the path', async (key) => {
    await post(key, { key }).expect(200, answers.inserted);
    await api().get(path(key)).expect(200, { value: { key } });
    await api().put(path(key)).send({ value: {} }).expect(200, answers.updated);
    await api().delete(path(key)).expect(200, answers.deleted);
  });

  // Holds key.legal, status.400-key, limit.key.
  it.each(['', '.', '..', 'a\u0000', 'a\nb', '\u007f', '\u0085', 'x'.repeat(513), 'é'.repeat(257)])(
    'may not be %j in a body',
    async (key) => {
      await post(key, {}).expect(400, '{"message":"invalid key","status":400}');
    },
  );

  // Holds key.legal.
  it('may not hold a lone surrogate', async () => {
    await api()
      .post('/kv')
      .set('Content-Type', 'application/json')
      .send('{"key":"\\ud800","value":{}}')
      .expect(400, answers.invalidKey);
  });

  // Holds key.legal, status.400-key, limit.key.
  it.each([
    '%00',
    '%0a',
    '%7F',
    '%C2%85',
    '%ff',
    '%C3',
    '%ed%a0%80',
    '%zz',
    '%',
    '%2',
    'x'.repeat(513),
    '%2e',
  ])('may not be %s in a path', async (segment) => {
    for (const method of ['get', 'delete'] as const) {
      await api()[method](`/kv/${segment}`).expect(400, answers.invalidKey);
    }
    await api().put(`/kv/${segment}`).send({ value: {} }).expect(400, answers.invalidKey);
  });

  // Holds key.bytes.
  it('is compared as bytes, not normalised', async () => {
    await post('\u00e9', { form: 'composed' }).expect(200);
    await api().get(path('e\u0301')).expect(404, answers.keyNotFound);
  });
});
