import { createHash } from 'node:crypto';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

const api = () => request(service.url);
let keys = 0;
const newKey = (): string => `key-${++keys}`;
const post = (body: object) => api().post('/kv').send(body);

async function insert(key: string, value: object = {}, ttl?: number): Promise<string> {
  const { headers } = await post({ key, value, ttl }).expect(200, answers.inserted);
  return (headers['etag'] ?? '').slice(1, -1);
}

/** Resolves when the entry has expired. */
const expired = (key: string) =>
  expect
    .poll(
      () =>
        api()
          .get(`/kv/${key}`)
          .then((r) => r.status),
      { interval: 20 },
    )
    .toBe(404);

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

describe('PATCH /kv/:key', () => {
  const patch = (key: string, type: string, body: unknown) =>
    api()
      .patch(`/kv/${key}`)
      .type(type)
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  const MERGE = 'application/merge-patch+json';
  const JSON_PATCH = 'application/json-patch+json';

  // Holds patch.merge.
  it('merges (RFC 7396)', async () => {
    const key = newKey();
    await insert(key, { a: 'b', c: { d: 'e', f: 'g' }, n: 1 });
    await patch(key, MERGE, { a: 'z', c: { f: null }, list: [1] }).expect(200, answers.updated);
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { a: 'z', c: { d: 'e' }, n: 1, list: [1] } });
  });

  // Holds patch.json-patch.
  it('applies all operations in order (RFC 6902)', async () => {
    const key = newKey();
    await insert(key, { list: [1, 3], from: { a: 1 } });
    await patch(key, JSON_PATCH, [
      { op: 'test', path: '/list/0', value: 1 },
      { op: 'add', path: '/list/1', value: 2 },
      { op: 'move', from: '/from', path: '/to' },
      { op: 'copy', from: '/to/a', path: '/b' },
      { op: 'replace', path: '/to/a', value: null },
      { op: 'remove', path: '/list/0' },
    ]).expect(200, answers.updated);
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { list: [2, 3], to: { a: null }, b: 1 } });
  });

  // Holds patch.json-patch, patch.test-fails, patch.malformed.
  it.each([
    ['a failed test', JSON_PATCH, [{ op: 'test', path: '/a', value: 2 }], 409, answers.patchTestFailed],
    ['a path that is not there', JSON_PATCH, [{ op: 'remove', path: '/none' }], 400, answers.invalidBody],
    ['an index that is none', JSON_PATCH, [{ op: 'add', path: '/l/x', value: 1 }], 400, answers.invalidBody],
    [
      'an index beyond the end',
      JSON_PATCH,
      [{ op: 'add', path: '/l/9', value: 1 }],
      400,
      answers.invalidBody,
    ],
    [
      'an index with a leading zero',
      JSON_PATCH,
      [{ op: 'add', path: '/l/00', value: 1 }],
      400,
      answers.invalidBody,
    ],
    [
      'what an array is not made of',
      JSON_PATCH,
      [{ op: 'copy', from: '/l/length', path: '/n' }],
      400,
      answers.invalidBody,
    ],
    [
      'what every object has',
      JSON_PATCH,
      [{ op: 'copy', from: '/toString', path: '/n' }],
      400,
      answers.invalidBody,
    ],
    [
      'removing what every object has',
      JSON_PATCH,
      [{ op: 'remove', path: '/valueOf' }],
      400,
      answers.invalidBody,
    ],
    [
      'an escape that is none',
      JSON_PATCH,
      [{ op: 'test', path: '/a~2', value: 1 }],
      400,
      answers.invalidBody,
    ],
    ['a move into itself', JSON_PATCH, [{ op: 'move', from: '/l', path: '/l/0' }], 400, answers.invalidBody],
    [
      'an operation that is inherited',
      JSON_PATCH,
      [{ op: 'toString', path: '/a' }],
      400,
      answers.invalidBody,
    ],
    [
      'copies that double the value again and again',
      JSON_PATCH,
      Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '', path: `/x${i}` })),
      413,
      answers.tooLarge,
    ],
    ['an operation that is none', JSON_PATCH, [{ op: 'frob', path: '/a' }], 400, answers.invalidBody],
    ['an operation without a value', JSON_PATCH, [{ op: 'add', path: '/a' }], 400, answers.invalidBody],
    ['no array of operations', JSON_PATCH, { op: 'add' }, 400, answers.invalidBody],
    [
      'a result that is no object',
      JSON_PATCH,
      [{ op: 'replace', path: '', value: [] }],
      400,
      answers.invalidBody,
    ],
    ['a merge to no object', MERGE, [1], 400, answers.invalidBody],
    ['a broken body', MERGE, '{"a":', 400, answers.invalidBody],
  ])('refuses %s, and changes nothing', async (_what, type, body, status, answer) => {
    const key = newKey();
    await insert(key, { a: 1, l: [1] });
    await patch(key, type, body).expect(status, answer);
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { a: 1, l: [1] } });
  });

  // Holds patch.media-types.
  it('answers 415 with Accept-Patch to another media type', async () => {
    const { headers } = await patch('state', 'application/json', '{}').expect(
      415,
      answers.unsupportedMediaType,
    );
    expect(headers['accept-patch']).toBe('application/merge-patch+json, application/json-patch+json');
  });

  it('answers 404 when the key does not exist', async () => {
    await patch('missing', MERGE, {}).expect(404, answers.keyNotFound);
  });

  // Holds patch.rest-untouched.
  it('keeps exactly what it does not touch, and what it moves', async () => {
    const key = newKey();
    const value =
      '{"big":18446744073709551615,"__proto__":{"a":1},"constructor":{"name":"Date"},"hasOwnProperty":1,"toJSON":{},"$toJSON":2}';
    await api().post('/kv').type('application/json').send(`{"key":"${key}","value":${value}}`).expect(200);
    await patch(key, MERGE, '{"n":{"__proto__":9007199254740993}}').expect(200);
    await patch(key, JSON_PATCH, [
      { op: 'copy', from: '/big', path: '/copy' },
      { op: 'replace', path: '/constructor/name', value: 'Map' },
      { op: 'remove', path: '/toJSON' },
    ]).expect(200);
    const { text } = await api().get(`/kv/${key}`).expect(200);
    expect(text).toBe(
      '{"value":{"big":18446744073709551615,"__proto__":{"a":1},"constructor":{"name":"Map"},"hasOwnProperty":1,"$toJSON":2,' +
        '"n":{"__proto__":9007199254740993},"copy":18446744073709551615}}',
    );
  });
});

describe('GET /kv', () => {
  const list = (query: string) => api().get(`/kv?${query}`);
  const keysOf = (body: unknown) => (body as { items: { key: string }[] }).items.map(({ key }) => key);

  beforeAll(async () => {
    for (const key of ['p/a', 'p/b', 'p/é', 'p/😀', 'p/c', 'p0', 'o']) await insert(key, { key });
  });

  // Holds list.byte-order, list.prefix.
  it('lists by prefix in the order of bytes, with values and versions', async () => {
    const { body } = await list('prefix=p/').expect(200);
    expect(keysOf(body)).toEqual(['p/a', 'p/b', 'p/c', 'p/é', 'p/😀']);
    expect(body).toEqual({
      items: keysOf(body).map((key) => ({ key, value: { key }, version: expect.stringMatching(/^\d+$/) })),
      next_cursor: null,
    });
  });

  // Holds list.start, list.end, list.reverse, list.bounds-within-prefix.
  it.each([
    ['prefix=p/&start=p/b&end=p/c', ['p/b']],
    ['prefix=p/&start=a', ['p/a', 'p/b', 'p/c', 'p/é', 'p/😀']],
    ['prefix=p/&end=z&reverse=true', ['p/😀', 'p/é', 'p/c', 'p/b', 'p/a']],
    ['start=p/%C3%A9&end=p1', ['p/é', 'p/😀', 'p0']],
    ['prefix=none', []],
  ])('%s', async (query, expected) => {
    expect(keysOf((await list(query).expect(200)).body)).toEqual(expected);
  });

  // Holds list.keys-only.
  it('lists keys only', async () => {
    const { body } = await list('prefix=p/a&keys_only=true').expect(200);
    expect(body).toEqual({
      items: [{ key: 'p/a', version: expect.stringMatching(/^\d+$/) }],
      next_cursor: null,
    });
  });

  // Holds list.cursor, list.reverse, list.ends-with-null, list.link, list.link-relative.
  it.each(['', '&reverse=true'])('walks by cursors, and by links%s', async (direction) => {
    const seen: string[] = [];
    let next: string | undefined = `/kv?prefix=p/&limit=2${direction}`;
    while (next) {
      const { body, headers }: request.Response = await api().get(next).expect(200);
      const { next_cursor: cursor } = body as { next_cursor: string | null };
      seen.push(...keysOf(body));
      next = /^<(.*)>; rel="next"$/.exec(headers['link'] ?? '')?.[1];
      expect(next).toBe(cursor ? `?cursor=${cursor}&limit=2` : undefined);
      next &&= `/kv${next}`;
    }
    const inOrder = ['p/a', 'p/b', 'p/c', 'p/é', 'p/😀'];
    expect(seen).toEqual(direction ? inOrder.toReversed() : inOrder);
  });

  /** @returns the keys of each page, and checks that none is larger than it may be. */
  async function walk(query: string): Promise<string[][]> {
    const pages: string[][] = [];
    let next: string | undefined = `/kv?${query}`;
    while (next) {
      const { body, headers }: request.Response = await api().get(next).expect(200);
      expect(Number(headers['content-length'])).toBeLessThan(4 * 1024 * 1024);
      pages.push(keysOf(body));
      next = /^<(.*)>; rel="next"$/.exec(headers['link'] ?? '')?.[1];
      next &&= `/kv${next}`;
    }
    return pages;
  }

  // Holds list.limit.
  it('fills a page up to its limit, however many there are', async () => {
    const keys = Array.from({ length: 1050 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
    for (const some of [keys.slice(0, 600), keys.slice(600)]) {
      const operations = some.map((key) => ({ op: 'insert', key, value: {} }));
      await api().post('/batch').send({ operations }).expect(200);
    }
    expect(await walk('prefix=many/&limit=1000')).toEqual([keys.slice(0, 1000), keys.slice(1000)]);
    expect(await walk('prefix=many/&limit=350&reverse=true&keys_only=true')).toEqual(
      [keys.slice(700), keys.slice(350, 700), keys.slice(0, 350)].map((page) => page.toReversed()),
    );
  });

  // Holds list.page-bytes.
  it('ends a page before it grows beyond 4 MiB', async () => {
    const keys = Array.from({ length: 12 }, (_, i) => `large/${String(i).padStart(2, '0')}`);
    for (const key of keys) await insert(key, { text: 'x'.repeat(500_000) });
    const pages = await walk('prefix=large/');
    expect(pages.map(({ length }) => length)).toEqual([8, 4]);
    expect(pages.flat()).toEqual(keys);
  });

  // Holds list.limit, list.cursor-of-other-filter, status.400-cursor, status.400-query.
  it('refuses a cursor that is foreign or altered, and a query that it does not know', async () => {
    const { next_cursor: cursor } = (await list('limit=1')).body as { next_cursor: string };
    const altered = (cursor.startsWith('A') ? 'B' : 'A') + cursor.slice(1);
    for (const bad of ['x', altered, cursor.slice(0, -4), `${cursor}AAAA`, '%00']) {
      await list(`cursor=${bad}`).expect(400, answers.invalidCursor);
    }
    const forge = (hex: string) => {
      const body = Buffer.from(hex, 'hex');
      const digest = createHash('sha256').update('kv-cursor-2').update(body).digest().subarray(0, 12);
      return Buffer.concat([digest, body]).toString('base64url');
    };
    // MessagePack that is nothing, no array, cut short, has another type, or an element too few or too many.
    for (const bad of [
      '',
      '05',
      '96',
      '96a0a1',
      '96a0a16101c0c2',
      '9605a16101c0c2c2',
      '96a0a161c0c0c2c2',
      '95a0a16100c0c2',
      '96a0a16100c0c2c2c2',
    ]) {
      await list(`cursor=${forge(bad)}`).expect(400, answers.invalidCursor);
    }
    for (const bad of [
      'prefix=%ff',
      'prefix=%zz',
      'limit=0',
      'limit=1001',
      'limit=x',
      'reverse=1',
      'unknown=1',
      'prefix=a&prefix=b',
      `cursor=${cursor}&prefix=x`,
    ]) {
      await list(bad).expect(400, answers.invalidQuery);
    }
  });
});

describe('a cursor', () => {
  const list = (query: string) => api().get(`/kv?${query}`);
  const cursorOf = ({ body }: request.Response) =>
    encodeURIComponent((body as { next_cursor: string }).next_cursor);

  beforeAll(async () => {
    for (const key of ['w/a', 'w/b', 'w/c']) await insert(key, {});
  });

  // Holds list.cursor-holds-filter, list.cursor-of-other-filter.
  it.each([
    'prefix=w/',
    'start=w/a&end=w/d',
    'prefix=w/&start=w/&end=w/z&keys_only=true',
    'end=w/d&reverse=true',
    'prefix=w/&reverse=true&keys_only=false',
  ])('may come with its own filter beside it: %s', async (filter) => {
    const first = cursorOf(await list(`${filter}&limit=1`).expect(200));
    const second = await list(`${filter}&limit=1&cursor=${first}`).expect(200);
    expect(second.body).toEqual((await list(`cursor=${first}&limit=1`).expect(200)).body);
    // The second page's goes on with the same filter, too.
    await list(`${filter}&cursor=${cursorOf(second)}`).expect(200);
    for (const other of [
      'prefix=w',
      'prefix=w/&start=w/b',
      'end=w/c',
      'prefix=w/&keys_only=true',
      'start=w/a&end=w/d&reverse=true',
    ]) {
      await list(`${other}&cursor=${first}`).expect(400, answers.invalidQuery);
    }
  });

  // Holds list.bounds-4097, list.link-length.
  it('fits into a header of 16 KiB beside the rest, however long the keys and the filter are', async () => {
    const { config } = service;
    const app = await startInstance({ ...config, limits: { ...config.limits, maxKeyBytes: 4096 } });
    const prefix = `${'k'.repeat(4000)}/`;
    const keys = ['a', 'b', 'c'].map((name) => `${prefix}${name.repeat(95)}`);
    for (const key of keys)
      await request(app.getHttpServer()).post('/kv').send({ key, value: {} }).expect(200);
    for (const direction of ['', '&reverse=true']) {
      const bounds = `start=${keys[0]}&end=${keys[2]}~`;
      const { headers } = await request(app.getHttpServer()).get(
        `/kv?limit=1&keys_only=true&${bounds}${direction}`,
      );
      const link = headers['link'] ?? '';
      expect(link.length).toBeGreaterThan(8000);
      expect(link.length).toBeLessThan(11_500);
      const next = await request(app.getHttpServer())
        .get(`/kv${link.slice(1, link.indexOf('>'))}`)
        .expect(200);
      expect((next.body as { items: { key: string }[] }).items.map(({ key }) => key)).toEqual([keys[1]]);
    }
    await app.close();
    await list(`end=${'x'.repeat(4098)}`).expect(400, answers.invalidQuery);
    await list(`prefix=${'x'.repeat(4097)}`).expect(200, { items: [], next_cursor: null });
  });
});

describe('a listing', () => {
  // Holds list.cursor-at-every-instance.
  it('goes on at any instance of the service, by a cursor of another', async () => {
    for (const key of ['i/a', 'i/b', 'i/c']) await insert(key, {});
    const first = await api().get('/kv?prefix=i/&limit=1&keys_only=true').expect(200);
    const { next_cursor: cursor } = first.body as { next_cursor: string };
    const other = await startInstance(service.config);
    const { body } = await request(other.getHttpServer()).get(`/kv?cursor=${cursor}`).expect(200);
    await other.close();
    const version = expect.stringMatching(/^\d+$/) as string;
    expect(body).toEqual({
      items: ['i/b', 'i/c'].map((key) => ({ key, version })),
      next_cursor: null,
    });
  });

  // Holds list.head-and-no-etag.
  it('has no version, and is answered to HEAD without its body', async () => {
    const got = await api().get('/kv?limit=2').set('If-None-Match', '*').expect(200);
    const head = await api().head('/kv?limit=2').set('If-None-Match', '*').expect(200);
    expect(head.text).toBeUndefined();
    for (const name of ['content-length', 'content-type', 'link']) {
      expect(head.headers[name]).toBe(got.headers[name]);
    }
    for (const { headers } of [got, head]) {
      expect(headers).not.toHaveProperty('etag');
      expect(headers).not.toHaveProperty('kv-version');
    }
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

describe('POST /batch', () => {
  const batch = (...operations: object[]) => api().post('/batch').send({ operations });

  // Holds batch.each-for-itself, batch.results, batch.order, operation.get, operation.insert, operation.update.
  // Holds operation.upsert, operation.delete, operation.if-match.
  it('answers each operation as the single request would have been, in order', async () => {
    const key = newKey();
    const { body } = await batch(
      { op: 'insert', key, value: { a: 1 } },
      { op: 'get', key },
      { op: 'insert', key, value: {} },
      { op: 'update', key, value: { a: 2 }, if_match: '1' },
      { op: 'update', key, value: { a: 2 }, if_match: '*' },
      { op: 'upsert', key: `${key}-new`, value: {}, ttl: 60 },
      { op: 'upsert', key, value: { a: 3 } },
      { op: 'delete', key },
      { op: 'get', key },
      { op: 'get', key: '..' },
    ).expect(200);
    const version = expect.stringMatching(/^\d+$/);
    expect(body).toEqual({
      message: 'processed',
      status: 200,
      results: [
        { ...answers.inserted, version },
        { value: { a: 1 }, status: 200, version },
        { ...answers.keyExists, version },
        { ...answers.preconditionFailed, version },
        { ...answers.updated, version },
        { ...answers.inserted, version, expires_at: expect.stringMatching(/^20.*Z$/) as string },
        { ...answers.updated, version },
        { ...answers.deleted, version },
        answers.keyNotFound,
        answers.invalidKey,
      ],
    });
  });

  // Holds batch.malformed-whole, operation.members.
  it.each([
    {},
    { operations: [] },
    { operations: [{ op: 'frob', key: 'a' }] },
    { operations: [{ op: 'get' }] },
    { operations: [{ op: 'get', key: 'a', value: {} }] },
    { operations: [{ op: 'insert', key: 'a' }] },
    { operations: [{ op: 'insert', key: 'a', value: [] }] },
    { operations: [{ op: 'insert', key: 'a', value: {}, if_match: '1' }] },
    { operations: [{ op: 'delete', key: 'a', if_match: 1 }] },
    { operations: [{ op: 'get', key: 'a', unknown: 1 }] },
    { operations: Array.from({ length: 1001 }, () => ({ op: 'get', key: 'a' })) },
  ])('refuses what is no batch (%#)', async (body) => {
    await api().post('/batch').send(body).expect(400, answers.invalidBody);
  });
});

describe('what would be too large an answer', () => {
  const key = 'large';
  const gets = (count: number) => Array.from({ length: count }, () => ({ op: 'get', key }));
  beforeAll(async () => {
    await insert(key, { text: 'x'.repeat(900_000) });
  });

  // Holds txn.answer-bytes.
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

  // Holds batch.reads-cut-short.
  it('is cut short by a batch, read by read', async () => {
    const { body } = await api()
      .post('/batch')
      .send({ operations: gets(100) })
      .expect(200);
    const { results } = body as { results: { value?: object }[] };
    expect(results).toHaveLength(100);
    expect(results.filter(({ value }) => value).length).toBeGreaterThan(10);
    expect(results.at(-1)).toEqual(answers.tooLarge);
  });
});

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

  // Holds txn.lists.
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

  // Holds txn.malformed-whole, txn.lists.
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
