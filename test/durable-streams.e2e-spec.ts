import { DurableStream, FetchError, stream } from '@durable-streams/client';
import type { JsonBatch } from '@durable-streams/client';
import { createStateSchema, isChangeEvent, MaterializedState } from '@durable-streams/state';
import type { StateEvent } from '@durable-streams/state';
import { createStreamDB } from '@durable-streams/state/db';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ChangeFeed } from '../src/feed/change-feed.js';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

/** Unmodified clients of the Durable Streams protocol and of its State Protocol, as npm has them. */
let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({ CHANGES_MEMORY: '1' });
});
afterAll(() => service.stop());

const { api, insert, newKey } = client(() => service.url);

const pathOf = (key: string): string => `/kv/${encodeURIComponent(key)}`;
const put = async (key: string, value: object): Promise<string> => {
  const { headers } = await api()
    .put(`${pathOf(key)}?upsert=true`)
    .send({ value })
    .expect(200);
  return String(headers['kv-version']);
};
const remove = (key: string) => api().delete(pathOf(key)).expect(200, answers.deleted);
/** A stream of the keys with this prefix. */
const urlOf = (prefix: string, base = service.url): string => `${base}/changes?prefix=${prefix}`;

/** What a listing shows, by key. */
async function listed(prefix: string): Promise<Map<string, unknown>> {
  const { body } = await api().get(`/kv?limit=1000&prefix=${prefix}`).expect(200);
  const { items } = body as { items: { key: string; value: unknown }[] };
  return new Map(items.map(({ key, value }) => [key, value]));
}

function apply(copy: MaterializedState, events: readonly StateEvent[]): void {
  copy.applyBatch(events.filter(isChangeEvent));
}

/** The revisions of the changes among these messages. */
const revisions = (events: readonly StateEvent[]): unknown[] =>
  events.filter(isChangeEvent).map(({ headers }) => headers.txid);

/** Reads until the end of the log, and stops there. */
const catchUp = (url: string, offset?: string) => stream<StateEvent>({ url, ...(offset && { offset }) });

const LIVE = ['long-poll', 'sse'] as const;

describe('@durable-streams/client', () => {
  // Holds changes.snapshot, changes.pages.
  it('catches up through all pages of a snapshot', async () => {
    for (let i = 0; i < 12; i++) await insert(`pages/${i}`, { i, text: 'x'.repeat(200_000) });
    const session = await catchUp(urlOf('pages/'));
    const copy = new MaterializedState();
    apply(copy, await session.json());
    expect(copy.getType('kv')).toEqual(await listed('pages/'));
    expect(session.upToDate).toBe(true);
    const { headers } = await api().get('/changes?offset=now').expect(200, []);
    expect(session.offset).toBe(headers['stream-next-offset']);
  });

  // Holds changes.long-poll, changes.sse.
  it.each(LIVE)('follows by %s what changes after a snapshot', async (live) => {
    const prefix = `${newKey()}/`;
    for (const key of ['kept', 'changed', 'removed']) await insert(prefix + key, { key });
    const session = await stream<StateEvent>({ url: urlOf(prefix), live });
    onTestFinished(() => session.cancel());
    const copy = new MaterializedState();
    const isUpToDate: boolean[] = [];
    session.subscribeJson<StateEvent>((batch) => {
      apply(copy, batch.items);
      isUpToDate.push(batch.upToDate);
    });
    await expect.poll(() => isUpToDate.at(-1)).toBe(true);
    await put(`${prefix}changed`, { n: 2 });
    await insert(`${prefix}new`, { n: 3 });
    await remove(`${prefix}removed`);
    await api()
      .post('/kv')
      .send({ key: `${prefix}expires`, value: {}, ttl: 1 })
      .expect(200);
    await expect.poll(() => copy.get('kv', `${prefix}expires`)).toEqual({});
    await expect
      .poll(() => copy.getType('kv'))
      .toEqual(
        new Map<string, unknown>([
          [`${prefix}changed`, { n: 2 }],
          [`${prefix}kept`, { key: 'kept' }],
          [`${prefix}new`, { n: 3 }],
        ]),
      );
  });

  // Holds changes.reliable, changes.unique, changes.resumable.
  it.each(LIVE)('resumes by %s in session after session, and misses nothing', async (live) => {
    const prefix = `${newKey()}/`;
    const written: string[] = [];
    const seen: unknown[] = [];
    let { offset } = await catchUp(urlOf(prefix), 'now');
    const writing = (async () => {
      for (let n = 0; n < 60; n++) written.push(await put(`${prefix}${n % 7}`, { n }));
    })();
    for (let session = 0; session < 8; session++) {
      const reader = await stream<StateEvent>({ url: urlOf(prefix), offset, live });
      await new Promise<void>((resolve) => {
        // What is handed over after the session was given up was not received.
        let isOver = false;
        const receive = ({ items, offset: next }: JsonBatch<StateEvent>): void => {
          if (isOver) return;
          seen.push(...revisions(items));
          offset = next;
          isOver = items.length > 0;
          if (isOver) resolve();
        };
        reader.subscribeJson<StateEvent>(receive);
      });
      reader.cancel();
      if (seen.length < 60) await put(`${prefix}between`, {}).then((version) => written.push(version));
    }
    await writing;
    seen.push(...revisions(await (await catchUp(urlOf(prefix), offset)).json()));
    expect(seen).toEqual(written.toSorted((a, b) => Number(a) - Number(b)));
  });

  // Holds changes.ends-at-stop, changes.resumable.
  it('goes on at another process when the one that it reads from stops', async () => {
    const prefix = `${newKey()}/`;
    const other = await startInstance(service.config);
    let base = await other.getUrl();
    const session = await stream<StateEvent>({
      url: urlOf(prefix, 'http://kv.test'),
      offset: 'now',
      live: 'sse',
      fetch: (input, init) => fetch(new Request(input).url.replace('http://kv.test', base), init),
    });
    onTestFinished(() => session.cancel());
    const seen: unknown[] = [];
    session.subscribeJson<StateEvent>(({ items }) => void seen.push(...revisions(items)));
    const written = [await put(`${prefix}a`, { n: 1 })];
    await expect.poll(() => seen).toEqual(written);
    base = service.url;
    other.get(ChangeFeed).stop();
    written.push(await put(`${prefix}a`, { n: 2 }));
    await expect.poll(() => seen).toEqual(written);
    await other.close();
  });

  // Holds changes.reset.
  it('begins anew after a reset, where it was away for too long', async () => {
    const prefix = `${newKey()}/`;
    for (const key of ['removed', 'kept']) await insert(prefix + key, { key });
    const other = await startInstance(service.config);
    let base: string | undefined = await other.getUrl();
    const session = await stream<StateEvent>({
      url: urlOf(prefix, 'http://kv.test'),
      live: 'sse',
      fetch: async (input, init) => {
        if (base === undefined) throw new TypeError('there is no way to the service');
        return fetch(new Request(input).url.replace('http://kv.test', base), init);
      },
    });
    onTestFinished(() => session.cancel());
    const copy = new MaterializedState();
    let resets = 0;
    session.subscribeJson<StateEvent>(({ items }) => {
      for (const item of items) {
        if (isChangeEvent(item)) copy.apply(item);
        else if (item.headers.control === 'reset') {
          copy.clear();
          resets++;
        }
      }
    });
    await expect.poll(() => copy.getType('kv').size).toBe(2);
    await expect.poll(() => session.upToDate).toBe(true);
    base = undefined;
    other.get(ChangeFeed).stop();
    await remove(`${prefix}removed`);
    for (let i = 0; i < 15; i++) await put('large', { i, text: 'x'.repeat(100_000) });
    await insert(`${prefix}new`, { n: 1 });
    const status = async () => (await api().get(`/changes?offset=${session.offset}`)).status;
    await expect.poll(status).toBe(410);
    base = service.url;
    await expect.poll(() => copy.getType('kv')).toEqual(await listed(prefix));
    expect([copy.getType('kv').size, resets]).toEqual([2, 1]);
    await other.close();
  });

  // Holds changes.head.
  it('learns by HEAD where the log ends', async () => {
    const { headers } = await api().get('/changes?offset=now').expect(200, []);
    expect(await DurableStream.head({ url: `${service.url}/changes` })).toMatchObject({
      exists: true,
      contentType: 'application/json; charset=utf-8',
      offset: headers['stream-next-offset'],
    });
  });

  // Holds changes.gone.
  it('is told by an error that changes are no longer held', async () => {
    for (let i = 0; i < 15; i++) await put('large', { i, text: 'x'.repeat(100_000) });
    const read = stream({ url: urlOf(''), offset: '00000000000000000000', live: false });
    await expect(read).rejects.toThrow(FetchError);
    await expect(read).rejects.toMatchObject({ status: 410, json: answers.offsetExpired });
  });
});

interface Row {
  readonly n: number;
}

/** The database checks no values. */
const schema = {
  '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value: value as Row }) },
} as const;

describe('@durable-streams/state', () => {
  const state = createStateSchema({ entries: { type: 'kv', primaryKey: 'key', schema } });
  const open = (prefix: string) =>
    createStreamDB({ streamOptions: { url: urlOf(prefix), contentType: 'application/json' }, state });

  // Holds changes.message, changes.expiry-told.
  it('keeps a database that equals the store, and knows a write by its version', async () => {
    const prefix = `${newKey()}/`;
    await insert(`${prefix}a`, { n: 1 });
    await insert(`${prefix}b`, { n: 1 });
    const db = open(prefix);
    onTestFinished(() => db.close());
    await db.preload();
    const rows = (): unknown =>
      Object.fromEntries(
        [...db.collections.entries.entries()].map(([key, { n }]) => [key.slice(prefix.length), n]),
      );
    expect(rows()).toEqual({ a: 1, b: 1 });
    await db.utils.awaitTxId(await put(`${prefix}a`, { n: 2 }));
    await db.utils.awaitTxId(await insert(`${prefix}c`, { n: 3 }));
    expect(rows()).toEqual({ a: 2, b: 1, c: 3 });
    await remove(`${prefix}b`);
    await api()
      .post(`${pathOf(`${prefix}c`)}/touch`)
      .send({ ttl: 1 })
      .expect(200);
    await expect.poll(rows).toEqual({ a: 2 });
  });
});
