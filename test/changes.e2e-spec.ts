import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ChangeFeed } from '../src/feed/change-feed.js';
import { KvService } from '../src/kv/kv.service.js';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { EventSourceClient } from './support/event-source.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  // Large entries need whole slabs of the store's memory.
  service = await startTestApp({ CHANGES_MEMORY: '1', TARANTOOL_MEMORY: '128' });
});
afterAll(() => service.stop());

const { api, insert, newKey } = client(() => service.url);

const changes = (query: string) => api().get(`/changes?${query}`);
/** The end of the log. */
const tail = async (): Promise<string> =>
  String((await changes('offset=now').expect(200, [])).headers['stream-next-offset']);
const upsert = async (key: string, value: object = {}): Promise<string> => {
  const { headers } = await api()
    .put(`/kv/${encodeURIComponent(key)}?upsert=true`)
    .send({ value })
    .expect(200);
  return String(headers['kv-version']);
};
const offsetOf = (revision: string | number): string => String(revision).padStart(20, '0');

const CURSOR = /^\d+$/;

describe('GET /changes?offset=', () => {
  // Holds changes.offset, changes.message, changes.ordered, changes.expired-reason, changes.next-offset, changes.up-to-date.
  it('answers what changed since, in the order of the log', async () => {
    const offset = await tail();
    const [a, b] = [newKey(), newKey()];
    const first = await insert(a, { n: 1 });
    const second = await upsert(a, { n: 2, '🤔': ['"', 1e300] });
    const touched = await api().post(`/kv/${a}/touch`).send({ ttl: 1000 }).expect(200, answers.touched);
    const third = await insert(b, {});
    await api().delete(`/kv/${a}`).expect(200, answers.deleted);
    const { body, headers } = await changes(`offset=${offset}`).expect(200);
    const touch = Number(second) + 1;
    const removal = Number(third) + 1;
    expect(body).toEqual([
      { type: 'kv', key: a, value: { n: 1 }, headers: { operation: 'insert', txid: first }, version: first },
      {
        type: 'kv',
        key: a,
        value: { n: 2, '🤔': ['"', 1e300] },
        headers: { operation: 'update', txid: second },
        version: second,
      },
      {
        type: 'kv',
        key: a,
        value: { n: 2, '🤔': ['"', 1e300] },
        headers: { operation: 'update', txid: String(touch) },
        version: second,
        expires_at: new Date(touched.headers['kv-expires-at'] as string).toISOString(),
      },
      { type: 'kv', key: b, value: {}, headers: { operation: 'insert', txid: third }, version: third },
      {
        type: 'kv',
        key: a,
        headers: { operation: 'delete', txid: String(removal) },
        version: String(removal),
      },
    ]);
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-cache',
      'stream-next-offset': offsetOf(removal),
      'stream-cursor': expect.stringMatching(CURSOR),
      'stream-up-to-date': 'true',
    });
    expect((await changes(`offset=${offsetOf(second)}`).expect(200)).body).toEqual(
      (body as unknown[]).slice(2),
    );
  });

  // Holds changes.prefix, changes.prefix-passes-over, changes.without-values.
  it('leaves out other keys and values where it is asked to', async () => {
    const offset = await tail();
    const version = await insert('of/mine', { n: 1 });
    await insert(newKey());
    const { body, headers } = await changes(`offset=${offset}&prefix=of/&values=false`).expect(200);
    expect(body).toEqual([
      { type: 'kv', key: 'of/mine', headers: { operation: 'insert', txid: version }, version },
    ]);
    expect(headers['stream-next-offset']).toBe(await tail());
  });

  // Holds changes.atomic.
  it('answers all changes of a transaction together, each key once', async () => {
    const offset = await tail();
    const keys = Array.from({ length: 30 }, () => newKey());
    const success = keys.flatMap((key) => [
      { op: 'insert', key, value: {} },
      { op: 'update', key, value: { key, text: 'x'.repeat(10_000) } },
    ]);
    const { body: done } = await api().post('/txn').send({ success }).expect(200);
    const { body } = await changes(`offset=${offset}`).expect(200);
    const { revision } = done as { revision: string };
    expect(body).toEqual(
      keys.map((key) => ({
        type: 'kv',
        key,
        value: { key, text: 'x'.repeat(10_000) },
        headers: { operation: 'insert', txid: revision },
        version: revision,
      })),
    );
  });

  // Holds changes.expired-reason, changes.expiry-told.
  it('tells of entries that have expired', async () => {
    const offset = await tail();
    const key = newKey();
    await api().post('/kv').send({ key, value: {}, ttl: 1 }).expect(200, answers.inserted);
    const next = String((await changes(`offset=${offset}`).expect(200)).headers['stream-next-offset']);
    const { body } = await changes(`offset=${next}&live=long-poll&timeout=10`).expect(200);
    const { version } = (body as { version: string }[])[0] ?? { version: '' };
    expect(body).toEqual([
      { type: 'kv', key, headers: { operation: 'delete', txid: version }, version, reason: 'expired' },
    ]);
  });

  // Holds changes.pages, changes.reliable, changes.unique.
  it('answers in pages, which leave out nothing', async () => {
    const offset = await tail();
    const written: string[] = [];
    for (let i = 0; i < 8; i++) written.push(await upsert('large', { i, text: 'x'.repeat(100_000) }));
    const seen: string[] = [];
    let pages = 0;
    for (let at = offset; ; pages++) {
      const { body, headers } = await changes(`offset=${at}`).expect(200);
      seen.push(...(body as { version: string }[]).map(({ version }) => version));
      at = String(headers['stream-next-offset']);
      if (headers['stream-up-to-date'] === 'true') break;
      expect(at).toBe(offsetOf(seen.at(-1) ?? ''));
    }
    expect(seen).toEqual(written);
    expect(pages).toBeGreaterThan(1);
  });

  // Holds changes.gone, limit.changes.
  it('answers 410 where what follows is no longer held', async () => {
    const offset = await tail();
    for (let i = 0; i < 15; i++) await upsert('large', { i, text: 'x'.repeat(100_000) });
    const status = async () => (await changes(`offset=${offset}`)).status;
    await expect.poll(status).toBe(410);
    await changes(`offset=${offset}`).expect(410, answers.offsetExpired);
    await changes(`offset=${offset}&live=long-poll`).expect(410, answers.offsetExpired);
    await changes('offset=00000099999999999999').expect(410, answers.offsetExpired);
  });

  // Holds changes.offset-grammar, status.400-query.
  it.each([
    ['offset=', answers.invalidOffset],
    ['offset=1', answers.invalidOffset],
    ['offset=-2', answers.invalidOffset],
    ['offset=99999999999999999999', answers.invalidOffset],
    ['offset=0-00000000000000000001-6', answers.invalidOffset],
    ['offset=0-00000000000000000001-ff', answers.invalidOffset],
    ['offset=0-00000000000000000001-6A', answers.invalidOffset],
    ['offset=now&offset=now', answers.invalidQuery],
    ['live=ws', answers.invalidQuery],
    ['values=yes', answers.invalidQuery],
    ['timeout=0', answers.invalidQuery],
    ['timeout=61', answers.invalidQuery],
    ['prefix=%ff', answers.invalidQuery],
    ['since=1', answers.invalidQuery],
  ])('refuses %s', async (query, answer) => {
    await changes(query).expect(400, answer);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('knows no %s', async (method) => {
    const answer = await fetch(`${service.url}/changes`, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

describe('the pages of GET /changes in a cache', () => {
  const AT_THE_END = 'no-cache';
  const LASTING = 'max-age=60, stale-while-revalidate=300';
  const known = (query: string, tag: unknown) => changes(query).set('If-None-Match', String(tag));
  /** An offset behind which there is more than one page. */
  async function fillPages(): Promise<string> {
    const offset = await tail();
    for (let i = 0; i < 5; i++) await upsert('large', { i, text: 'x'.repeat(100_000) });
    return offset;
  }

  // Holds changes.cached-page.
  it('last where there is more behind them, and then never change', async () => {
    const offset = await fillPages();
    const first = await changes(`offset=${offset}`).expect(200).expect('cache-control', LASTING);
    expect(first.headers).not.toHaveProperty('stream-up-to-date');
    await insert(newKey());
    const again = await changes(`offset=${offset}`).expect(200).expect('cache-control', LASTING);
    const fields = ({ headers }: request.Response) => [headers['etag'], headers['stream-next-offset']];
    expect([again.text, ...fields(again)]).toEqual([first.text, ...fields(first)]);
    const polled = await changes(`offset=${offset}&live=long-poll`).expect('cache-control', LASTING);
    expect(polled.text).toBe(first.text);
  });

  // Holds changes.etag.
  it.each(['', '&live=long-poll'])('are answered 304 while they say the same (%s)', async (live) => {
    const offset = await fillPages();
    const prefix = newKey();
    for (const query of [`offset=${offset}${live}`, `offset=-1&prefix=${prefix}${live}`]) {
      const { headers } = await changes(query).expect(200);
      const { 'stream-next-offset': next, 'cache-control': cacheControl, etag } = headers;
      expect(etag).toMatch(/^"[\w-]{27}"$/);
      for (const sent of [etag, `"other", W/${etag}`, '*']) {
        const { headers: shown, text } = await known(query, sent).expect(304);
        expect(text).toBe('');
        expect(shown).toMatchObject({ etag, 'stream-next-offset': next, 'cache-control': cacheControl });
        expect(shown).not.toHaveProperty('content-type');
      }
      await known(query, '"other"').expect(200).expect('etag', String(etag));
      await known(query, 'other').expect(400, answers.invalidPrecondition);
    }
  });

  // Holds changes.etag, changes.cached-page.
  it('are asked for again at the end of the log, and say when more was changed or passed over', async () => {
    const prefix = newKey();
    const query = `offset=${await tail()}&prefix=${prefix}`;
    const tags: unknown[] = [];
    for (const key of [newKey(), `${prefix}-1`, newKey()]) {
      const { headers } = await changes(query).expect(200).expect('cache-control', AT_THE_END);
      await known(query, headers['etag']).expect(304).expect('stream-up-to-date', 'true');
      tags.push(headers['etag']);
      await insert(key);
      await known(query, headers['etag']).expect(200);
    }
    expect(new Set(tags).size).toBe(3);
  });

  // Holds changes.etag, changes.cached-page.
  it('are asked for again in a snapshot, which leaves out what has changed since it began', async () => {
    const prefix = newKey();
    for (let i = 0; i < 3; i++) await upsert(`${prefix}-${i}`, { text: 'x'.repeat(500_000) });
    const first = await changes(`offset=-1&prefix=${prefix}`).expect(200).expect('cache-control', AT_THE_END);
    const query = `offset=${first.headers['stream-next-offset']}&prefix=${prefix}`;
    const second = await changes(query).expect(200).expect('cache-control', AT_THE_END);
    await known(query, second.headers['etag']).expect(304);
    await upsert(`${prefix}-2`);
    await known(query, second.headers['etag']).expect(200);
  });

  // Holds changes.not-stored.
  it('are not stored where they tell of now, or that nothing came', async () => {
    const offset = await tail();
    for (const answer of [
      await changes('offset=now').expect(200),
      await api().head('/changes').expect(200),
      await changes(`offset=${offset}&live=long-poll&timeout=1`).expect(204),
    ]) {
      expect(answer.headers).toMatchObject({ 'cache-control': 'no-store' });
      expect(answer.headers).not.toHaveProperty('etag');
    }
  });
});

describe('an offset', () => {
  // Holds changes.resumable.
  it('means the same on another process, and when the store has started again', async () => {
    const restarted = await startTestApp();
    const { url, config, tarantool } = restarted;
    const { headers } = await request(url).get('/changes?offset=now').expect(200, []);
    const query = `/changes?offset=${headers['stream-next-offset']}`;
    await request(url).post('/kv').send({ key: 'kept', value: {} }).expect(200, answers.inserted);
    const { body } = await request(url).get(query).expect(200);
    expect(body).toMatchObject([{ key: 'kept' }]);
    const other = await startInstance(config);
    await request(await other.getUrl())
      .get(query)
      .expect(200, body);
    await tarantool.stop();
    await tarantool.start();
    await expect.poll(async () => (await request(url).get('/health/ready')).status).toBe(200);
    await request(url).get(query).expect(200, body);
    await other.close();
    await restarted.stop();
  });
});

describe('GET /changes?live=long-poll', () => {
  // Holds changes.live, changes.long-poll.
  it('answers when there is a change, and not before', async () => {
    const offset = await tail();
    const key = newKey();
    const polled = changes(`offset=${offset}&live=long-poll&prefix=${key}`).expect(200);
    const answered = polled.then(({ body }) => body as unknown);
    await insert(newKey());
    const version = await insert(key, { n: 1 });
    expect(await answered).toEqual([
      { type: 'kv', key, value: { n: 1 }, headers: { operation: 'insert', txid: version }, version },
    ]);
  });

  // Holds changes.timeout, changes.long-poll-204, changes.prefix-passes-over.
  it('answers 204 when its time is over, with an offset behind what was passed over', async () => {
    const offset = await tail();
    const polled = changes(`offset=${offset}&live=long-poll&prefix=nobody&timeout=1`).expect(204);
    const answered = polled.then(({ headers, text }) => [headers, text] as const);
    const version = await insert(newKey());
    const [headers, text] = await answered;
    expect(text).toBe('');
    expect(headers).toMatchObject({
      'stream-next-offset': offsetOf(version),
      'stream-cursor': expect.stringMatching(CURSOR),
      'stream-up-to-date': 'true',
    });
    expect(headers).not.toHaveProperty('content-type');
  });

  // Holds changes.gone-client.
  it('counts nobody who has gone', async () => {
    const { config } = service;
    const instance = await startInstance({ ...config, limits: { ...config.limits, maxWatchers: 1 } });
    const offset = await tail();
    const query = `${await instance.getUrl()}/changes?live=long-poll&prefix=nobody&offset=${offset}`;
    const gone = new AbortController();
    const first = fetch(`${query}&timeout=60`, { signal: gone.signal });
    const status = async () => (await fetch(`${query}&timeout=1`)).status;
    await expect.poll(status).toBe(503);
    gone.abort();
    await expect(first).rejects.toThrow();
    await expect.poll(status).toBe(204);
    await instance.close();
  });

  it('lets many clients of one address wait at the same time', async () => {
    const offset = await tail();
    const query = `offset=${offset}&live=long-poll&prefix=nobody&timeout=1`;
    const polls = await Promise.all(Array.from({ length: 40 }, () => changes(query)));
    expect(new Set(polls.map(({ status }) => status))).toEqual(new Set([204]));
  });

  // Holds changes.cursor-moves.
  it('never answers with the cursor that it was sent', async () => {
    const { headers } = await changes('offset=now');
    const cursor = String(headers['stream-cursor']);
    const next = (await changes(`offset=now&cursor=${cursor}`)).headers['stream-cursor'];
    expect(Number(next)).toBeGreaterThan(Number(cursor));
  });
});

describe('GET /changes?live=sse', () => {
  const open = (query: string, fields?: Record<string, string>) =>
    EventSourceClient.open(`${service.url}/changes?live=sse&${query}`, fields);

  // Holds changes.sse, changes.sse-fields.
  it('sends what changed since, and then what changes', async () => {
    const offset = await tail();
    const key = newKey();
    const before = await insert(key, { n: 1 });
    const stream = await open(`offset=${offset}&prefix=${key}`);
    expect(stream.answer.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.any(String),
      connection: 'close',
    });
    // HAProxy holds back each chunk.
    expect(stream.answer.headers).not.toHaveProperty('transfer-encoding');
    await expect.poll(() => stream.events.length).toBe(2);
    await insert(newKey());
    const after = await upsert(key, { n: 2 });
    await expect.poll(() => stream.events.length).toBe(4);
    const data = (operation: string, version: string, n: number) => ({
      event: 'data',
      id: offsetOf(version),
      data: [{ type: 'kv', key, value: { n }, headers: { operation, txid: version }, version }],
    });
    const control = (version: string) => ({
      event: 'control',
      id: offsetOf(version),
      data: {
        streamNextOffset: offsetOf(version),
        streamCursor: expect.stringMatching(CURSOR),
        upToDate: true,
      },
    });
    expect(stream.events).toEqual([
      data('insert', before, 1),
      control(before),
      data('update', after, 2),
      control(after),
    ]);
    stream.close();
  });

  // Holds changes.last-event-id.
  it('goes on behind Last-Event-ID, whatever its address says', async () => {
    const key = newKey();
    const first = await insert(key);
    const second = await upsert(key);
    const stream = await open(`offset=-1&prefix=${key}`, { 'Last-Event-ID': offsetOf(first) });
    await expect.poll(() => stream.messages).toMatchObject([{ key, version: second }]);
    stream.close();
  });

  // Holds changes.sse.
  it('tells the end of the log behind a snapshot, although nothing changes', async () => {
    const key = newKey();
    await insert(key);
    const stream = await open(`offset=-1&prefix=${key}`);
    await expect.poll(() => stream.control).toMatchObject({ upToDate: true });
    stream.close();
  });

  // Holds changes.reset.
  it('tells a reset where what follows is no longer held, and then begins with a snapshot', async () => {
    const stream = await open('offset=00000000000000000000');
    await expect.poll(() => stream.isEnded).toBe(true);
    expect(stream.events).toEqual([
      { event: 'data', id: '-1', data: [{ headers: { control: 'reset', offset: '-1' } }] },
      { event: 'control', id: '-1', data: { reset: true, streamNextOffset: '-1' } },
    ]);
    const again = await open('offset=00000000000000000000&prefix=state', { 'Last-Event-ID': '-1' });
    await expect.poll(() => again.messages).toHaveLength(3);
    again.close();
  });

  // Holds rate.bytes-count.
  it('costs the bytes of its events, as a page does whether it is sent or not', async () => {
    await insert('costly', { text: 'x'.repeat(900_000) });
    const limit = 1000;
    const instance = await startInstance({ ...service.config, throttle: { limit, windowMs: 600_000 } });
    const url = await instance.getUrl();
    const stream = await EventSourceClient.open(`${url}/changes?live=sse&prefix=costly`);
    await expect.poll(() => stream.messages).toHaveLength(3);
    const left = async (): Promise<number> => {
      const { headers } = await request(url).get('/kv/state').expect(200);
      return Number(/r=(\d+)/.exec(String(headers['ratelimit']))?.[1]);
    };
    // One unit for each of two requests, and one for each 64 KiB behind the first.
    expect(await left()).toBe(limit - 2 - 13);
    const page = request(url).get('/changes?prefix=costly');
    const { headers } = await page.expect(200);
    await request(url)
      .get('/changes?prefix=costly')
      .set('If-None-Match', String(headers['etag']))
      .expect(304);
    expect(await left()).toBe(limit - 5 - 3 * 13);
    stream.close();
    await instance.close();
  });

  // Holds changes.ends-at-stop, changes.long-poll-at-stop.
  it('ends with a last control event when the process stops, and a long poll with 204', async () => {
    const instance = await startInstance(service.config);
    const url = await instance.getUrl();
    const offset = await tail();
    const stream = await EventSourceClient.open(`${url}/changes?live=sse&offset=${offset}&prefix=nobody`);
    const polled = fetch(`${url}/changes?live=long-poll&offset=${offset}&prefix=nobody`);
    await expect.poll(() => stream.events).toHaveLength(1);
    instance.get(ChangeFeed).stop();
    await expect.poll(() => stream.isEnded).toBe(true);
    expect(stream.control).toMatchObject({ streamNextOffset: offset, upToDate: true });
    expect((await polled).status).toBe(204);
    await instance.close();
  });
});

describe('GET /changes?offset=-1', () => {
  // Holds changes.snapshot, changes.snapshot-resumes.
  it('answers a snapshot in pages, and then what changed since it began', async () => {
    const keys = Array.from({ length: 12 }, (_, i) => `snap/${String(i).padStart(2, '0')}`);
    for (const key of keys) await insert(key, { text: 'x'.repeat(200_000) });
    const began = await tail();
    const first = await changes('offset=-1&prefix=snap/').expect(200);
    const changed = await upsert('snap/11', { n: 1 });
    await api().delete('/kv/snap%2F10').expect(200);
    const copy = new Map<string, unknown>();
    const controls: unknown[] = [];
    let answer = first;
    for (;;) {
      for (const message of answer.body as {
        key?: string;
        value?: unknown;
        headers: Record<string, string>;
      }[]) {
        if (message.key === undefined) controls.push(message.headers);
        else if (message.headers['operation'] === 'delete') copy.delete(message.key);
        else copy.set(message.key, message.value);
      }
      if (answer.headers['stream-up-to-date'] === 'true') break;
      const next = String(answer.headers['stream-next-offset']);
      answer = await changes(`offset=${next}&prefix=snap/`).expect(200);
    }
    expect(controls).toEqual([
      { control: 'snapshot-start', offset: began },
      { control: 'snapshot-end', offset: began },
    ]);
    expect([...copy.keys()].toSorted()).toEqual(keys.filter((key) => key !== 'snap/10'));
    expect(copy.get('snap/11')).toEqual({ n: 1 });
    expect(answer.headers['stream-next-offset']).toBe(offsetOf(Number(changed) + 1));
  });
});

describe('GET /changes?offset= in the middle of a snapshot', () => {
  // Holds changes.snapshot-gone.
  it('is refused as soon as the log does not hold what follows the snapshot', async () => {
    const prefix = newKey();
    for (let i = 0; i < 4; i++) await upsert(`${prefix}-${i}`, { text: 'x'.repeat(500_000) });
    const { headers } = await changes(`offset=-1&prefix=${prefix}`).expect(200);
    const query = `offset=${headers['stream-next-offset']}&prefix=${prefix}`;
    await changes(query).expect(200);
    for (let i = 0; i < 15; i++) await upsert('large', { i, text: 'x'.repeat(100_000) });
    await expect.poll(async () => (await changes(query)).status).toBe(410);
    await changes(`${query}&live=long-poll`).expect(410, answers.offsetExpired);
    const stream = await EventSourceClient.open(`${service.url}/changes?live=sse&${query}`);
    await expect.poll(() => stream.control).toMatchObject({ reset: true });
    stream.close();
  });

  it('is refused where its snapshot is of a later time than the store', async () => {
    await changes('offset=0-00000099999999999999-61').expect(410, answers.offsetExpired);
  });
});

describe('GET /kv', () => {
  // Holds list.next-offset.
  it('tells on the first page of a walk from where to follow the changes', async () => {
    const offset = await tail();
    const { headers, body } = await api().get('/kv?limit=1').expect(200);
    expect(headers['stream-next-offset']).toBe(offset);
    const { next_cursor: cursor } = body as { next_cursor: string };
    expect((await api().get(`/kv?cursor=${cursor}`)).headers).not.toHaveProperty('stream-next-offset');
  });
});

describe('GET /kv/:key with Prefer: wait', () => {
  const read = (key: string, fields: Record<string, string>): Promise<request.Response> =>
    Promise.resolve(api().get(`/kv/${key}`).set(fields));

  // Holds read.wait-for-change.
  it('answers when the entry has another version', async () => {
    const key = newKey();
    const version = await insert(key);
    const waiting = read(key, { 'If-None-Match': `"${version}"`, Prefer: 'wait=30' });
    await insert(`${key}-other`);
    const later = await upsert(key, { n: 1 });
    const { status, body, headers } = await waiting;
    expect([status, body, headers['etag'], headers['preference-applied']]).toEqual([
      200,
      { value: { n: 1 } },
      `"${later}"`,
      'wait=30',
    ]);
  });

  it('asks the store only when this very key has changed', async () => {
    const key = newKey();
    const versions = vi.spyOn(service.app.get(KvService), 'version');
    const waiting = read(key, { Prefer: 'wait=30' });
    await expect.poll(() => versions.mock.calls.length).toBe(1);
    for (let i = 0; i < 20; i++) await insert(`${key}-${i}`);
    await insert(key);
    expect((await waiting).status).toBe(200);
    expect(versions.mock.calls.length).toBeLessThanOrEqual(3);
    versions.mockRestore();
  });

  // Holds read.wait-for-creation.
  it('answers when the entry has been created', async () => {
    const key = newKey();
    const waiting = read(key, { Prefer: 'respond-async, wait=30' });
    await insert(key, { n: 1 });
    expect((await waiting).body).toEqual({ value: { n: 1 } });
  });

  // Holds read.wait-is-over.
  it('answers 304 or 404 when the time is over', async () => {
    const key = newKey();
    const version = await insert(key);
    const [same, missing] = await Promise.all([
      read(key, { 'If-None-Match': `"${version}"`, Prefer: 'wait=1' }),
      read(newKey(), { Prefer: 'wait=1' }),
    ]);
    expect([same.status, same.headers['preference-applied']]).toEqual([304, 'wait=1']);
    expect([missing.status, missing.body, missing.headers['preference-applied']]).toEqual([
      404,
      answers.keyNotFound,
      'wait=1',
    ]);
  });

  it.each(['return=minimal', 'wait', 'wait=soon'])('heeds no other preference: %s', async (preference) => {
    const answer = await read(newKey(), { Prefer: preference });
    expect([answer.status, answer.headers['preference-applied']]).toEqual([404, undefined]);
  });
});

describe('a store without a log', () => {
  // Holds changes.off.
  it('answers 404, and everything else as before', async () => {
    const off = await startTestApp({ CHANGES_MEMORY: '0' });
    for (const query of ['', '?offset=now', '?offset=-1&live=sse', '?offset=now&live=long-poll']) {
      await request(off.url).get(`/changes${query}`).expect(404, answers.changesOff);
    }
    await request(off.url).get('/kv/nobody').set('Prefer', 'wait=30').expect(404, answers.keyNotFound);
    expect((await request(off.url).get('/kv').expect(200)).headers).not.toHaveProperty('stream-next-offset');
    await off.stop();
  });
});
