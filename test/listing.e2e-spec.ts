import { createHash } from 'node:crypto';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

const { api, insert } = client(() => service.url);

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

  // Holds list.limit, limit.page.
  it('fills a page up to its limit, however many there are', async () => {
    const keys = Array.from({ length: 1050 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
    for (const some of [keys.slice(0, 600), keys.slice(600)]) {
      const operations = some.map((key) => ({ op: 'insert', key, value: {} }));
      await api().post('/batch').send({ operations }).expect(200);
    }
    expect(await walk('prefix=many/&limit=1000')).toEqual([keys.slice(0, 1000), keys.slice(1000)]);
    expect((await walk('prefix=many/')).map(({ length }) => length)).toEqual([...Array(10).fill(100), 50]);
    expect(await walk('prefix=many/&limit=350&reverse=true&keys_only=true')).toEqual(
      [keys.slice(700), keys.slice(350, 700), keys.slice(0, 350)].map((page) => page.toReversed()),
    );
  });

  // Holds list.page-bytes, limit.page.
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

  // Holds list.bounds-4097, list.link-length, setting.max-key-bytes, limit.listing-bounds.
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
