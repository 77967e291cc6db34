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

const { api, expired, insert, newKey, post } = client(() => service.url);

describe('ttl', () => {
  // Holds ttl.gone-at-once, ttl.shown.
  it('says when an entry expires, and takes it away for every operation', async () => {
    const key = newKey();
    const before = Date.now();
    const { headers } = await post({ key, value: {}, ttl: 1 }).expect(200, answers.inserted);
    const expiresAt = Date.parse(headers['kv-expires-at'] ?? '');
    expect(expiresAt).toBeGreaterThanOrEqual(before + 999);
    expect(expiresAt).toBeLessThanOrEqual(Date.now() + 1001);
    expect((await api().get(`/kv/${key}`).expect(200)).headers['kv-expires-at']).toBe(
      headers['kv-expires-at'],
    );

    await expired(key);
    await api().put(`/kv/${key}`).send({ value: {} }).expect(404, answers.keyNotFound);
    await api().delete(`/kv/${key}`).expect(404, answers.keyNotFound);
    await api().post(`/kv/${key}/touch`).send({ ttl: 60 }).expect(404, answers.keyNotFound);
    await api().get(`/kv?prefix=${key}`).expect(200, { items: [], next_cursor: null });
    await post({ key, value: { again: true } }).expect(200, answers.inserted);
  });

  // Holds ttl.taken-by-put, ttl.keep, ttl.kept-by-patch.
  it('is taken away by PUT, kept by "keep" and by PATCH', async () => {
    const key = newKey();
    const at = (await post({ key, value: {}, ttl: 100 })).headers['kv-expires-at'];
    const kept = await api().put(`/kv/${key}`).send({ value: {}, ttl: 'keep' }).expect(200);
    const patched = await api()
      .patch(`/kv/${key}`)
      .type('application/merge-patch+json')
      .send('{"a":1}')
      .expect(200);
    expect([at, kept.headers['kv-expires-at'], patched.headers['kv-expires-at']]).toEqual([at, at, at]);
    const replaced = await api().put(`/kv/${key}`).send({ value: {} }).expect(200);
    expect(replaced.headers).not.toHaveProperty('kv-expires-at');
  });

  // Holds touch.sets-end, touch.version-stays.
  it('is set and taken away by touch, and the version stays', async () => {
    const key = newKey();
    const version = await insert(key);
    const touched = await api().post(`/kv/${key}/touch`).send({ ttl: 60 }).expect(200, answers.touched);
    expect(touched.headers['etag']).toBe(`"${version}"`);
    expect(touched.headers).toHaveProperty('kv-expires-at');
    const forever = await api().post(`/kv/${key}/touch`).send({ ttl: null }).expect(200, answers.touched);
    expect(forever.headers).not.toHaveProperty('kv-expires-at');
  });

  // Holds ttl.range, ttl.not-keep-or-null.
  it.each([0, -1, 1.5, 315_360_001, '60', null, true, {}])('may not be %j', async (ttl) => {
    await post({ key: 'never', value: {}, ttl }).expect(400, answers.invalidBody);
    await api().put('/kv/state').send({ value: {}, ttl }).expect(400, answers.invalidBody);
  });

  // Holds ttl.not-keep-or-null, ttl.range.
  it.each([1, 315_360_000])('may be %j', async (ttl) => {
    const key = newKey();
    const { headers } = await post({ key, value: {}, ttl }).expect(200, answers.inserted);
    expect(headers).toHaveProperty('kv-expires-at');
    await api().put(`/kv/${key}`).send({ value: {}, ttl }).expect(200, answers.updated);
  });

  // Holds ttl.keep.
  it('of "keep" leaves what an upsert creates without an end', async () => {
    const key = newKey();
    const put = () => api().put(`/kv/${key}?upsert=true`).send({ value: {}, ttl: 'keep' });
    expect((await put().expect(200, answers.inserted)).headers).not.toHaveProperty('kv-expires-at');
    expect((await put().expect(200, answers.updated)).headers).not.toHaveProperty('kv-expires-at');
  });

  // Holds ttl.shown.
  it('is shown by 304, and not by 412', async () => {
    const key = newKey();
    const { headers } = await post({ key, value: {}, ttl: 60 }).expect(200, answers.inserted);
    const shown = async (name: string, field: string, status: number) =>
      (await api().get(`/kv/${key}`).set(name, field).expect(status)).headers['kv-expires-at'];
    expect(await shown('If-None-Match', '*', 304)).toBe(headers['kv-expires-at']);
    expect(await shown('If-Match', '"1"', 412)).toBeUndefined();
  });

  it('may not be "keep" where there is nothing to keep', async () => {
    await post({ key: 'never', value: {}, ttl: 'keep' }).expect(400, answers.invalidBody);
    await api().post('/kv/state/touch').send({ ttl: 'keep' }).expect(400, answers.invalidBody);
    await api().post('/kv/state/touch').send({}).expect(400, answers.invalidBody);
  });
});

describe('expires_at', () => {
  const inAnHour = () => Date.now() + 3_600_000;

  // Holds ttl.expires-at, ttl.shown, touch.sets-end, list.shows-expiry.
  it('ends an entry at a time, in RFC 3339 or in milliseconds, in every write', async () => {
    const key = newKey();
    const at = inAnHour();
    const time = new Date(at).toISOString();
    const url = `/kv/${key}`;
    const ends = [
      await post({ key, value: {}, expires_at: time }).expect(200, answers.inserted),
      await api().put(url).send({ value: {}, expires_at: at }).expect(200, answers.updated),
      await api()
        .put(`${url}?upsert=true`)
        .send({ value: {}, expires_at: time })
        .expect(200, answers.updated),
      await api().post(`${url}/touch`).send({ expires_at: at }).expect(200, answers.touched),
      await api().get(url).expect(200, { value: {} }),
    ].map(({ headers }) => headers['kv-expires-at'] as string);
    expect(ends).toEqual(ends.map(() => time));
    const { body } = await api().get(`/kv?prefix=${key}&keys_only=true`).expect(200);
    expect(body).toMatchObject({ items: [{ key, expires_at: time }] });
    expect((await api().get(`/kv?prefix=${key}`)).body).toMatchObject({
      items: [{ value: {}, expires_at: time }],
    });
  });

  // Holds ttl.expires-at-ahead.
  it.each([
    ['the past', () => ({ expires_at: Date.now() - 1 })],
    ['seconds', () => ({ expires_at: Math.floor(inAnHour() / 1000) })],
    ['more than ten years', () => ({ expires_at: Date.now() + 315_360_001_000 })],
    ['no whole number', () => ({ expires_at: inAnHour() + 0.5 })],
    ['no time', () => ({ expires_at: 'tomorrow' })],
    ['a day', () => ({ expires_at: new Date(inAnHour()).toISOString().slice(0, 10) })],
    ['null', () => ({ expires_at: null })],
    ['a ttl beside it', () => ({ expires_at: inAnHour(), ttl: 60 })],
  ])('may not be %s', async (_what, end) => {
    const value = {};
    await post({ key: 'never', value, ...end() }).expect(400, answers.invalidBody);
    await api()
      .put('/kv/state')
      .send({ value, ...end() })
      .expect(400, answers.invalidBody);
    await api().post('/kv/state/touch').send(end()).expect(400, answers.invalidBody);
    for (const operation of [{ op: 'insert', value }, { op: 'upsert', value }, { op: 'touch' }]) {
      const operations = [{ ...operation, key: 'never', ...end() }];
      await api().post('/batch').send({ operations }).expect(400, answers.invalidBody);
    }
  });
});

describe('POST /kv/:key/touch with a precondition', () => {
  // Holds touch.preconditions, touch.if-match.
  it('renews only the version that If-Match names', async () => {
    const key = newKey();
    const version = await insert(key);
    const touch = (field: string, name = 'If-Match') =>
      api().post(`/kv/${key}/touch`).set(name, field).send({ ttl: 60 });
    const { headers } = await touch('"1"').expect(412, answers.preconditionFailed);
    expect(headers).toMatchObject({ etag: `"${version}"`, 'kv-version': version });
    expect((await api().get(`/kv/${key}`)).headers).not.toHaveProperty('kv-expires-at');
    await touch('*', 'If-None-Match').expect(412, answers.preconditionFailed);
    await touch(`W/"${version}"`).expect(200, answers.touched);
    await touch('*').expect(200, answers.touched);
    await touch('5').expect(400, answers.invalidPrecondition);
    await api()
      .post('/kv/missing/touch')
      .set('If-Match', '*')
      .send({ ttl: 1 })
      .expect(404, answers.keyNotFound);
  });
});

describe('touch among many', () => {
  // Holds operation.touch, operation.if-match.
  it.each(['/batch', '/txn'])('is an operation of %s', async (path) => {
    const key = newKey();
    const version = await insert(key, { n: 1 });
    const at = Date.now() + 60_000;
    const operations = [
      { op: 'touch', key, expires_at: at, if_match: version },
      { op: 'get', key },
      { op: 'touch', key, ttl: null },
      { op: 'get', key },
    ];
    const { body } = await api()
      .post(path)
      .send(path === '/txn' ? { success: operations } : { operations })
      .expect(200);
    const expiresAt = new Date(at).toISOString();
    expect((body as { results: unknown }).results).toEqual([
      { ...answers.touched, version, expires_at: expiresAt },
      { value: { n: 1 }, status: 200, version, expires_at: expiresAt },
      { ...answers.touched, version },
      { value: { n: 1 }, status: 200, version },
    ]);
    expect((await api().get(`/kv/${key}`)).headers).toMatchObject({ etag: `"${version}"` });
  });

  // Holds operation.touch, operation.if-match, txn.aborted.
  it('is refused where its version is not there, or nothing is', async () => {
    const key = newKey();
    const version = await insert(key);
    const lost = { op: 'touch', key, ttl: 1, if_match: '1' };
    const missing = { op: 'touch', key: 'missing', ttl: 1 };
    await api()
      .post('/batch')
      .send({ operations: [lost, missing] })
      .expect(200, {
        message: 'processed',
        status: 200,
        results: [{ ...answers.preconditionFailed, version }, answers.keyNotFound],
      });
    for (const operation of [lost, missing]) {
      await api()
        .post('/txn')
        .send({ success: [operation] })
        .expect(409, { message: 'transaction aborted', status: 409, failed: [0] });
    }
    for (const bad of [{}, { ttl: 'keep' }, { ttl: 1, value: {} }]) {
      const operations = [{ op: 'touch', key, ...bad }];
      await api().post('/batch').send({ operations }).expect(400, answers.invalidBody);
    }
  });
});
