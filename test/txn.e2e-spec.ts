import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({ TARANTOOL_MEMORY: '160' });
});
afterAll(() => service.stop());

const { api, insert, newKey } = client(() => service.url);

describe('POST /txn', () => {
  const txn = (body: object) => api().post('/txn').send(body);

  // Holds txn.all-or-none, txn.comparisons, txn.sees-its-own, txn.get-of-nothing, operation.get.
  // Holds operation.update, operation.insert.
  it('commits all with one revision', async () => {
    const [a, b] = [newKey(), newKey()];
    const version = await insert(a, { n: 1 });
    const { body } = await txn({
      compare: [
        { key: a, version },
        { key: b, exists: false },
      ],
      success: [
        { op: 'get', key: a },
        { op: 'update', key: a, value: { n: 2 } },
        { op: 'insert', key: b, value: { n: 3 }, ttl: 60 },
        { op: 'get', key: b },
        { op: 'get', key: 'missing' },
      ],
    }).expect(200);
    const { revision } = body as { revision: string };
    const expiresAt = expect.stringMatching(/^20.*Z$/) as string;
    expect(Number(revision)).toBeGreaterThan(Number(version));
    expect(body).toEqual({
      message: 'committed',
      status: 200,
      revision,
      results: [
        { value: { n: 1 }, status: 200, version },
        { ...answers.updated, version: revision },
        { ...answers.inserted, version: revision, expires_at: expiresAt },
        { value: { n: 3 }, status: 200, version: revision, expires_at: expiresAt },
        answers.keyNotFound,
      ],
    });
    expect((await api().get(`/kv/${a}`)).headers['etag']).toBe(`"${revision}"`);
  });

  // Holds txn.aborted, txn.comparisons.
  it('is aborted by a comparison that fails, and changes nothing', async () => {
    const key = newKey();
    await insert(key, { n: 1 });
    await txn({
      compare: [
        { key, version: '1' },
        { key, exists: true },
        { key: 'missing', exists: true },
      ],
      success: [{ op: 'delete', key }],
    }).expect(409, { message: 'transaction aborted', status: 409, failed: [0, 2] });
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { n: 1 } });
  });

  // Holds txn.branches, txn.no-branch-named.
  it('takes the other branch where there is one', async () => {
    const key = newKey();
    const { body } = await txn({
      compare: [{ key, exists: true }],
      success: [],
      failure: [{ op: 'insert', key, value: { made: true } }],
    }).expect(200);
    const { revision } = body as { revision: string };
    const results = [{ ...answers.inserted, version: revision }];
    expect(body).toEqual({ message: 'committed', status: 200, revision, results });
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { made: true } });
  });

  // Holds txn.comparisons.
  it('takes version "0" for a key that is absent', async () => {
    const key = newKey();
    const create = {
      compare: [{ key, version: '0' }],
      success: [{ op: 'insert', key, value: {} }],
    };
    const { body } = await txn(create).expect(200);
    expect(body).toMatchObject({ message: 'committed', results: [answers.inserted] });
    await txn(create).expect(409, { message: 'transaction aborted', status: 409, failed: [0] });
    await txn({ compare: [{ key, version: '1' }], success: [] }).expect(409);
    await txn({ compare: [{ key: newKey(), version: '1' }], success: [] }).expect(409);
  });

  // Holds txn.lists, limit.transaction.
  it('may have 128 comparisons, and as many operations in each branch', async () => {
    const compare = Array.from({ length: 128 }, () => ({ key: 'state', exists: true }));
    const gets = Array.from({ length: 128 }, () => ({ op: 'get', key: 'missing' }));
    const { body } = await txn({ compare, success: gets, failure: gets }).expect(200);
    expect((body as { results: unknown[] }).results).toEqual(gets.map(() => answers.keyNotFound));
  });

  // Holds txn.aborted, txn.all-or-none.
  it.each([
    ['insert of what is there', { op: 'insert', key: 'state', value: {} }],
    ['update of what is missing', { op: 'update', key: 'missing', value: {} }],
    ['delete of another version', { op: 'delete', key: 'state', if_match: '999999999' }],
  ])('is aborted whole by an %s', async (_what, refused) => {
    const key = newKey();
    await txn({ success: [{ op: 'insert', key, value: {} }, refused] }).expect(409, {
      message: 'transaction aborted',
      status: 409,
      failed: [1],
    });
    await api().get(`/kv/${key}`).expect(404, answers.keyNotFound);
  });

  // Holds txn.malformed-whole, txn.lists, limit.transaction.
  it.each([
    {},
    { success: {} },
    { success: [{ op: 'get' }] },
    { success: [], compare: [{ key: 'a' }] },
    { success: [], compare: [{ key: 'a', exists: true, version: '1' }] },
    { success: [], compare: [{ key: 'a', version: 1 }] },
    { success: Array.from({ length: 129 }, () => ({ op: 'get', key: 'a' })) },
    { success: [], failure: Array.from({ length: 129 }, () => ({ op: 'get', key: 'a' })) },
    { success: [], compare: Array.from({ length: 129 }, () => ({ key: 'state', exists: true })) },
    { success: [], compare: [{ key: 'a', version: '-1' }] },
    { success: [], compare: [{ key: 'a', version: '' }] },
  ])('refuses what is no transaction (%#)', async (body) => {
    await txn(body).expect(400, answers.invalidBody);
  });

  // Holds txn.malformed-whole, status.400-key.
  it('refuses an illegal key, and a value that cannot be kept', async () => {
    await txn({ success: [{ op: 'get', key: '' }] }).expect(400, answers.invalidKey);
    await api()
      .post('/txn')
      .type('application/json')
      .send('{"success":[{"op":"insert","key":"k","value":{"a":"\\ud800"}}]}')
      .expect(400, answers.invalidBody);
  });
});

describe('what would be too large an answer', () => {
  const key = 'large';
  const gets = (count: number) => Array.from({ length: count }, () => ({ op: 'get', key }));
  beforeAll(async () => {
    await insert(key, { text: 'x'.repeat(900_000) });
  });

  // Holds txn.answer-bytes, limit.transaction.
  it('is refused by a transaction before anything is done', async () => {
    const other = newKey();
    const success = [{ op: 'insert', key: other, value: {} }, ...gets(100)];
    await api().post('/txn').send({ success }).expect(413, answers.tooLarge);
    await api().get(`/kv/${other}`).expect(404, answers.keyNotFound);
    await api()
      .post('/txn')
      .send({ success: gets(10) })
      .expect(200);
  });

  // Holds txn.touched-bytes.
  it('is refused where it would touch entries that are as large together', async () => {
    const keys = Array.from({ length: 19 }, () => newKey());
    for (const each of keys) await insert(each, { text: 'x'.repeat(900_000) });
    const touches = (some: string[]) => some.map((each) => ({ op: 'touch', key: each, ttl: 1000 }));
    await api()
      .post('/txn')
      .send({ success: touches(keys) })
      .expect(413, answers.tooLarge);
    const { headers } = await api().get(`/kv/${keys[0]}`).expect(200);
    expect(headers).not.toHaveProperty('kv-expires-at');
    await api()
      .post('/txn')
      .send({ success: touches(keys.slice(1)) })
      .expect(200);
  });
});
