import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { client } from './support/client.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

const { api, insert } = client(() => service.url);

interface Level {
  items: { key: string }[];
  prefixes: string[];
  next_cursor: string | null;
}

const VERSION = expect.stringMatching(/^\d+$/) as string;

describe('GET /kv with a delimiter', () => {
  const list = async (query: string): Promise<Level> =>
    (await api().get(`/kv?${query}`).expect(200)).body as Level;

  beforeAll(async () => {
    for (const key of ['d/a/1', 'd/a/2', 'd/b', 'd/b/1', 'd/c/x/1', 'd/é/1', 'd/😀/1', 'd0'])
      await insert(key, { key });
  });

  // Holds tree.prefixes, tree.order.
  it('shows the keys of a level, and the prefixes of the level below', async () => {
    const item = (key: string) => ({ key, value: { key }, version: VERSION });
    expect(await list('prefix=d/&delimiter=/')).toEqual({
      items: [item('d/b')],
      prefixes: ['d/a/', 'd/b/', 'd/c/', 'd/é/', 'd/😀/'],
      next_cursor: null,
    });
    expect(await list('prefix=d&delimiter=/')).toEqual({
      items: [item('d0')],
      prefixes: ['d/'],
      next_cursor: null,
    });
    expect(await list('prefix=d/c/&delimiter=/&keys_only=true')).toEqual({
      items: [],
      prefixes: ['d/c/x/'],
      next_cursor: null,
    });
    expect(await list('prefix=none&delimiter=/')).toEqual({ items: [], prefixes: [], next_cursor: null });
  });

  // Holds tree.limit, tree.order.
  it.each([
    ['', 1],
    ['', 2],
    ['&reverse=true', 1],
    ['&reverse=true&keys_only=true', 3],
  ])('counts both to the limit, and walks on by cursors: "%s", %i at a time', async (direction, limit) => {
    const seen: string[] = [];
    let next = `prefix=d/&delimiter=/&limit=${limit}${direction}`;
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: Level = await list(next);
      cursor = page.next_cursor;
      expect(page.items.length + page.prefixes.length).toBeLessThanOrEqual(limit);
      const rows = [...page.items.map(({ key }) => key), ...page.prefixes];
      seen.push(
        ...rows.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)) * (direction ? -1 : 1)),
      );
      next = `cursor=${cursor}&limit=${limit}`;
    }
    const all = ['d/a/', 'd/b', 'd/b/', 'd/c/', 'd/é/', 'd/😀/'];
    expect(seen).toEqual(direction ? all.toReversed() : all);
  });

  // Holds tree.bounds.
  it('keeps to the bounds', async () => {
    expect((await list('prefix=d/&delimiter=/&start=d/b&end=d/c/y')).prefixes).toEqual(['d/b/', 'd/c/']);
    expect((await list('prefix=d/&delimiter=/&start=d/a/3')).prefixes).toEqual([
      'd/b/',
      'd/c/',
      'd/é/',
      'd/😀/',
    ]);
  });

  // Holds tree.cursor.
  it('takes the same filter beside a cursor, and no other', async () => {
    const { next_cursor: cursor } = await list('prefix=d/&delimiter=/&limit=1');
    const rest = await list(`prefix=d/&delimiter=/&cursor=${cursor}`);
    expect(rest.prefixes).toEqual(['d/b/', 'd/c/', 'd/é/', 'd/😀/']);
    for (const other of ['prefix=d/', 'prefix=d/&delimiter=b', 'delimiter=/']) {
      await api().get(`/kv?${other}&cursor=${cursor}`).expect(400, { message: 'invalid query', status: 400 });
    }
  });

  // Holds tree.delimiter.
  it('takes a delimiter of several characters, up to 64 bytes', async () => {
    expect((await list('prefix=d/&delimiter=/1')).prefixes).toEqual([
      'd/a/1',
      'd/b/1',
      'd/c/x/1',
      'd/é/1',
      'd/😀/1',
    ]);
    await api()
      .get(`/kv?delimiter=${'x'.repeat(64)}`)
      .expect(200);
    await api()
      .get(`/kv?delimiter=${'x'.repeat(65)}`)
      .expect(400, { message: 'invalid query', status: 400 });
    await api().get('/kv?delimiter=a&delimiter=b').expect(400, { message: 'invalid query', status: 400 });
  });

  it('shows no prefixes without one', async () => {
    const { body } = await api().get('/kv?prefix=d/a/1&delimiter=').expect(200);
    expect(body).toEqual({
      items: [{ key: 'd/a/1', value: { key: 'd/a/1' }, version: VERSION }],
      next_cursor: null,
    });
  });
});

describe('DELETE /kv', () => {
  const remove = (query: string) => api().delete(`/kv?${query}`);
  const fill = async (prefix: string, count: number): Promise<void> => {
    const operations = Array.from({ length: count }, (_, i) => ({
      op: 'insert',
      key: prefix + String(i).padStart(4, '0'),
      value: {},
    }));
    await api().post('/batch').send({ operations }).expect(200);
  };
  const removed = (deleted: number, remaining: boolean) => ({
    message: 'deleted',
    status: 200,
    deleted,
    remaining,
  });
  const keysWith = async (prefix: string): Promise<number> => {
    const { body } = await api().get(`/kv?prefix=${prefix}&keys_only=true&limit=1000`);
    return (body as Level).items.length;
  };

  // Holds removal.prefix, removal.steps.
  it('removes the entries with a prefix', async () => {
    await fill('r/', 200);
    await insert('r', {});
    await remove('prefix=r/').expect(200, removed(200, false));
    await remove('prefix=r/').expect(200, removed(0, false));
    await api().get('/kv/r').expect(200);
  });

  // Holds removal.limit, removal.remaining.
  it('removes no more than the limit, 1000 unless told otherwise, and says whether more remain', async () => {
    await fill('l/', 1000);
    await insert('l/last', {});
    await remove('prefix=l/&limit=100').expect(200, removed(100, true));
    expect(await keysWith('l/')).toBe(901);
    await fill('l/more', 200);
    await remove('prefix=l/').expect(200, removed(1000, true));
    await remove('prefix=l/&limit=101').expect(200, removed(101, false));
    await remove('prefix=l/&limit=10000').expect(200, removed(0, false));
  });

  // Holds removal.changes.
  it('tells each removal to those who follow', async () => {
    await fill('c/', 70);
    const { headers } = await api().head('/changes').expect(200);
    await remove('prefix=c/').expect(200, removed(70, false));
    const { body } = await api().get(`/changes?offset=${headers['stream-next-offset']}`).expect(200);
    const told = body as { key: string; headers: { operation: string } }[];
    expect(told.map(({ key, headers: { operation } }) => `${operation} ${key}`)).toEqual(
      Array.from({ length: 70 }, (_, i) => `delete c/${String(i).padStart(4, '0')}`),
    );
  });

  let keys = 0;
  const insertNew = async (prefix: string): Promise<string> => {
    const key = `${prefix}${++keys}`;
    await insert(key, {});
    return key;
  };

  const INVALID_QUERY = { message: 'invalid query', status: 400 };
  // Holds removal.prefix-required.
  it.each([
    ['', INVALID_QUERY],
    ['prefix=', INVALID_QUERY],
    ['prefix=a&prefix=b', INVALID_QUERY],
    ['prefix=a&limit=0', INVALID_QUERY],
    ['prefix=a&limit=10001', INVALID_QUERY],
    ['prefix=a&start=b', INVALID_QUERY],
    ['prefix=%ff', INVALID_QUERY],
    [`prefix=${'p'.repeat(4097)}`, INVALID_QUERY],
  ])('refuses "%s"', async (query, body) => {
    const key = await insertNew('a-kept-');
    await remove(query).expect(400, body);
    await api().get(`/kv/${key}`).expect(200);
  });

  // Holds removal.no-preconditions.
  it.each([
    ['If-Match', '"1"', 'invalid precondition'],
    ['If-None-Match', '*', 'invalid precondition'],
    ['Idempotency-Key', '"1"', 'invalid idempotency key'],
  ])('refuses %s, which it could only ignore', async (field, value, message) => {
    const key = await insertNew('field-');
    await remove('prefix=field-').set(field, value).expect(400, { message, status: 400 });
    await api().get(`/kv/${key}`).expect(200);
  });

  // Holds removal.rate.
  it('counts each removed entry as a KiB to the rate', async () => {
    const app = await startTestApp({ THROTTLE_LIMIT: '100', THROTTLE_TTL: '600000' });
    const operations = Array.from({ length: 90 }, (_, i) => ({ op: 'insert', key: `r/${i}`, value: {} }));
    await request(app.url).post('/batch').send({ operations }).expect(200);
    await request(app.url).delete('/kv?prefix=r/').expect(200, removed(90, false));
    const { headers } = await request(app.url).get('/kv/state').expect(200);
    expect(headers['ratelimit']).toMatch(/^"default";r=7;/);
    await app.stop();
  });
});
