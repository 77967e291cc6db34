import 'reflect-metadata';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AnswerBudget } from '../src/answers/answer-budget.js';
import { Answers } from '../src/answers/answers.js';
import { TarantoolClient } from '../src/tarantool/tarantool-client.js';
import { answers } from './support/answers.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const MIB = 1024 * 1024;
const TEXT = 'x'.repeat(900_000);
/** 150 kB in the store, and 900 kB of JSON. */
const ESCAPES = '\u0001'.repeat(150_000);

describe('what an answer may cost', () => {
  let test: TestApp;
  let budget: AnswerBudget;
  const api = () => request(test.url);
  const get = (key: string, client = '10.0.0.1') => api().get(`/kv/${key}`).set('X-Forwarded-For', client);
  const gets = (key: string, count: number) => Array.from({ length: count }, () => ({ op: 'get', key }));
  const insert = (key: string, text: string) => api().post('/kv').send({ key, value: { text } }).expect(200);

  beforeAll(async () => {
    // The store has to hold many large values twice, and their changes.
    test = await startTestApp({
      MAX_ANSWERS_MIB: '36',
      TARANTOOL_MEMORY: '256',
      TRUST_PROXY: '127.0.0.1',
    });
    budget = test.app.get(Answers).budget;
    await insert('text', TEXT);
    await insert('escapes', ESCAPES);
    await insert('small', 'x');
    for (let i = 0; i < 12; i++) await insert(`page/${i}`, ESCAPES);
  });
  afterAll(async () => {
    await test.stop();
  });

  /** How often a function of the store is called while `run` runs. */
  async function countCalls(name: string, run: () => Promise<unknown>): Promise<number> {
    const call = vi.spyOn(test.app.get(TarantoolClient), 'call');
    await run();
    const count = call.mock.calls.filter(([called]) => called === name).length;
    call.mockRestore();
    return count;
  }

  describe('GET /kv/:key', () => {
    it('answers a large value whole, and gives its room back', async () => {
      await get('text').expect(200, { value: { text: TEXT } });
      await get('escapes').expect(200, { value: { text: ESCAPES } });
      await vi.waitFor(() => expect(budget.used).toBe(0));
    });

    it('asks the store once for a small value', async () => {
      expect(await countCalls('kv.get', () => get('small').expect(200, { value: { text: 'x' } }))).toBe(1);
    });

    // Holds limit.large-answers, setting.max-answers-mib.
    it('answers many at once without holding more than it may', async () => {
      let most = 0;
      let isOver = false;
      const look = (): void => {
        most = Math.max(most, budget.used);
        if (!isOver) setImmediate(look);
      };
      look();
      const all = await Promise.all(
        Array.from({ length: 14 }, (_, i) => get(i % 2 ? 'text' : 'escapes', `10.0.0.${i % 10}`)),
      );
      isOver = true;
      expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(36 * MIB);
    });
  });

  describe('PATCH /kv/:key', () => {
    it('works on as many large values at once as there is room for', async () => {
      const keys = Array.from({ length: 40 }, (_, i) => `patch-${i}`);
      for (const key of keys) await insert(key, ESCAPES);
      const client = test.app.get(TarantoolClient);
      const original = client.call.bind(client);
      let [underWay, most] = [0, 0];
      const call = vi.spyOn(client, 'call').mockImplementation((name, args) => {
        const isLargeWrite = name === 'kv.update';
        if (isLargeWrite) most = Math.max(most, ++underWay);
        return original(name, args).finally(() => isLargeWrite && underWay--);
      });
      const all = await Promise.all(
        keys.map((key) => api().patch(`/kv/${key}`).type('application/merge-patch+json').send('{}')),
      );
      call.mockRestore();
      expect(all.map(({ status, body }) => [status, body as unknown])).toEqual(
        keys.map(() => [200, answers.updated]),
      );
      // Half of 36 MiB, by six times 150 kB.
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThanOrEqual(20);
    });
  });

  describe('POST /batch', () => {
    // Holds batch.answer-bytes, batch.reads-cut-short, limit.batch.
    it.each([
      ['text', 18],
      ['escapes', 18],
    ])('stops to read where its answer is full: %s', async (key, fitting) => {
      const responses: request.Response[] = [];
      const operations = [...gets(key, 999), { op: 'upsert', key: 'written', value: {} }];
      const calls = await countCalls('kv.get', async () => {
        responses.push(await api().post('/batch').send({ operations }).expect(200));
      });
      const [response] = responses;
      if (!response) throw new Error('no answer');
      const { results } = response.body as { results: { value?: object; status?: number }[] };
      expect(results).toHaveLength(1000);
      expect(results.slice(0, fitting).every(({ value }) => value)).toBe(true);
      expect(results.slice(fitting, -1)).toEqual(
        Array.from({ length: 999 - fitting }, () => answers.tooLarge),
      );
      expect(results.at(-1)?.status).toBe(200);
      expect(Number(response.headers['content-length'])).toBeLessThanOrEqual(16 * MIB);
      expect(calls).toBeLessThan(2 * fitting + 4);
    });
  });

  describe('POST /txn', () => {
    // Holds txn.answer-bytes, limit.transaction.
    it.each(['text', 'escapes'])('refuses to read more than its answer may hold: %s', async (key) => {
      const success = [{ op: 'insert', key: `made of ${key}`, value: {} }, ...gets(key, 100)];
      await api().post('/txn').send({ success }).expect(413, answers.tooLarge);
      await api().get(`/kv/made%20of%20${key}`).expect(404, answers.keyNotFound);
    });

    // Holds txn.answer-bytes.
    it.each(['text', 'escapes'])('answers what its answer may hold: %s', async (key) => {
      const { headers, body } = await api()
        .post('/txn')
        .send({ success: gets(key, 18) })
        .expect(200);
      expect(Number(headers['content-length'])).toBeLessThanOrEqual(16 * MIB);
      const { results } = body as { results: { value: { text: string } }[] };
      expect(results.map(({ value }) => value.text.length)).toEqual(
        Array.from({ length: 18 }, () => (key === 'text' ? TEXT : ESCAPES).length),
      );
    });
  });

  describe('GET /kv', () => {
    // Holds limit.large-work.
    it('waits for the turns of the large values of a page, and of nothing small', async () => {
      const take = vi.spyOn(test.app.get(Answers).turns, 'take');
      await api().get('/kv?prefix=small').expect(200);
      expect(take.mock.calls).toEqual([]);
      await api().get('/kv?prefix=page/&limit=2').expect(200);
      expect(take.mock.calls.length).toBeGreaterThan(0);
      take.mockRestore();
    });

    // Holds list.page-bytes.
    it('measures a page as it is answered, and reads no further than that', async () => {
      const keys: string[] = [];
      let next: string | undefined = 'prefix=page/';
      while (next) {
        const pages: request.Response[] = [];
        const calls = await countCalls('kv.list', async () => {
          pages.push(await api().get(`/kv?${next}`).expect(200));
        });
        const [page] = pages;
        if (!page) throw new Error('no answer');
        const { items, next_cursor: cursor } = page.body as {
          items: { key: string }[];
          next_cursor: string | null;
        };
        expect(Number(page.headers['content-length'])).toBeLessThan(4 * MIB);
        expect(calls).toBeLessThanOrEqual(6);
        keys.push(...items.map(({ key }) => key));
        next = cursor ? `cursor=${cursor}` : undefined;
      }
      expect(keys).toEqual(Array.from({ length: 12 }, (_, i) => `page/${i}`).toSorted());
    });
  });

  describe('a client that does not read', () => {
    const sockets: Socket[] = [];
    afterAll(async () => {
      for (const socket of sockets) socket.destroy();
      await vi.waitFor(() => expect(budget.used).toBe(0));
    });

    // Holds limit.large-answers, setting.max-answers-mib.
    it('holds no more than its share, is refused beyond, and leaves the others theirs', async () => {
      const { port } = new URL(test.url);
      const ask = `GET /kv/text HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-Forwarded-For: 10.9.9.9\r\n\r\n`;
      for (let i = 0; i < 12; i++) {
        const socket = connect(Number(port), '127.0.0.1').on('error', () => {});
        socket.pause();
        socket.write(ask.repeat(16));
        sockets.push(socket);
      }
      const refused = await vi.waitUntil(
        async () => {
          const response = await get('text', '10.9.9.9');
          return response.status === 503 ? response : undefined;
        },
        { timeout: 20_000 },
      );
      expect(refused.body).toEqual(answers.unavailable);
      expect(refused.headers['retry-after']).toBe('1');
      expect(budget.used).toBeLessThanOrEqual(18 * MIB);
      await get('small', '10.9.9.9').expect(200);
      await get('text').expect(200);
    });
  });
});
