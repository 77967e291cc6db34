import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { ServiceProcess } from './support/service-process.js';

interface Answer {
  status: number;
  body: unknown;
}

let service: ServiceProcess;
let count = 0;
let inserted = 0;
let isOver = false;
let otherClient: Promise<void>;

async function send(method: string, path: string, body?: object): Promise<Answer> {
  const answer = await fetch(`${service.url}${path}`, {
    method,
    ...(body && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: await answer.json() };
}

const value = (bytes: number) => ({ text: 'x'.repeat(bytes) });
const insert = (key: string, bytes: number) => send('POST', '/kv', { key, value: value(bytes), ttl: 3600 });

/** Inserts entries of a size, many by each request, until there is no memory for one more. */
async function fill(bytes: number): Promise<void> {
  for (let isFull = false; !isFull;) {
    const operations = Array.from({ length: 64 }, () => ({
      op: 'insert',
      key: `key-${count++}`,
      value: value(bytes),
      ttl: 3600,
    }));
    const { body } = await send('POST', '/batch', { operations });
    isFull = (body as { results: Answer[] }).results.every(({ status }) => status === 503);
  }
}

/** What 64 requests for entries from all over the store get, eight at a time, without those that are alike. */
async function answersOf(request: (key: string) => Promise<Answer>): Promise<Answer[]> {
  const distinct = new Map<string, Answer>();
  for (let i = 0; i < 64; i += 8) {
    const keys = Array.from({ length: 8 }, (_, j) => `key-${(i + j) * 29}`);
    for (const answer of await Promise.all(keys.map(request))) distinct.set(JSON.stringify(answer), answer);
  }
  return [...distinct.values()];
}

// The least memory that can be configured, and another client that never stops inserting.
beforeAll(async () => {
  service = await ServiceProcess.start({ WORKERS: '1', TARANTOOL_MEMORY: '64' });
  await fill(10_000);
  const insertOn = async (): Promise<void> => {
    for (let i = 0; !isOver; i++) if ((await insert(`other-${i}`, 10_000)).status === 200) inserted++;
  };
  otherClient = insertOn();
});
afterAll(async () => {
  isOver = true;
  await otherClient;
  await service.remove();
});

describe('a full memory', () => {
  // Holds limit.store-memory, setting.tarantool-memory, caller.503.
  it('refuses what needs more with 503', async () => {
    expect(count * 10_000).toBeLessThan(64 * 1024 * 1024);
    expect(await insert('one-more', 10_000)).toEqual({ status: 503, body: answers.unavailable });
    expect(await send('GET', '/kv/one-more')).toEqual({ status: 404, body: answers.keyNotFound });
    expect(await send('PUT', '/kv/key-0', { value: value(15_000) })).toEqual({
      status: 503,
      body: answers.unavailable,
    });
  });

  // Holds message.memory-full.
  it.each<[string, (key: string) => Promise<Answer>, object]>([
    ['touches that shorten a life', (key) => send('POST', `/kv/${key}/touch`, { ttl: 600 }), answers.touched],
    [
      'touches that take an end away',
      (key) => send('POST', `/kv/${key}/touch`, { ttl: null }),
      answers.touched,
    ],
    [
      'updates to something as large',
      (key) => send('PUT', `/kv/${key}`, { value: value(10_000) }),
      answers.updated,
    ],
    [
      'updates to something smaller',
      (key) => send('PUT', `/kv/${key}`, { value: value(5000) }),
      answers.updated,
    ],
    ['deletions', (key) => send('DELETE', `/kv/${key}`), answers.deleted],
  ])('carries out %s, while another client goes on inserting', async (_, request, body) => {
    expect(await answersOf(request)).toEqual([{ status: 200, body }]);
  });

  // Holds message.memory-full.
  it('is told in the log', async () => {
    await insert('one-more', 10_000);
    await expect
      .poll(() =>
        service.log.filter(({ msg }) => msg === 'storage unavailable').map(({ err }) => JSON.stringify(err)),
      )
      .toContainEqual(
        expect.stringMatching(/Failed to allocate \d+ bytes in slab allocator for memtx_tuple/),
      );
  });

  it('carries out a transaction of touches, and a batch', async () => {
    const operations = ['key-1', 'key-2'].map((key) => ({ op: 'touch', key, ttl: 600 }));
    expect(await send('POST', '/txn', { success: operations })).toMatchObject({ status: 200 });
    expect(await send('POST', '/batch', { operations })).toMatchObject({
      status: 200,
      body: {
        results: [
          { message: 'touched', status: 200 },
          { message: 'touched', status: 200 },
        ],
      },
    });
  });

  it('takes inserts again when there is room', () => expect.poll(() => inserted).toBeGreaterThan(20));
});
