import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Access } from '../src/access/access.js';
import { Answers } from '../src/answers/answers.js';
import { BatchService } from '../src/batch/batch.service.js';
import type { Operation } from '../src/batch/operation.js';
import type { LargeRoom } from '../src/answers/answer-room.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';
import { ADMIN_TOKEN, newTokenFor, send } from './support/tokens.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({ ADMIN_TOKEN });
});
afterAll(() => service.stop());

const UNAUTHORIZED = { message: 'unauthorized', status: 401 };
const RULES = [{ prefix: '', rights: ['read', 'write'] as const }];
/** Within which time a token has to be refused. */
const SECOND = { timeout: 1000, interval: 5 };

const put = async (key: string): Promise<void> => {
  await send(request(service.url).put(`/kv/${key}?upsert=true`), ADMIN_TOKEN)
    .send({ value: {} })
    .expect(200);
};

/** How a token ends: it is deleted, or it expires. */
const ends: [string, () => Promise<{ token: string; end: () => Promise<void> }>][] = [
  [
    'is deleted',
    async () => {
      const { id, token } = await newTokenFor(service.url, RULES);
      const end = async (): Promise<void> => {
        await send(request(service.url).delete(`/tokens/${id}`), ADMIN_TOKEN).expect(200);
      };
      return { token, end };
    },
  ],
  [
    'expires',
    async () => {
      const expiresAt = Date.now() + 700;
      const { token } = await newTokenFor(service.url, RULES, {
        expires_at: new Date(expiresAt).toISOString(),
      });
      const hasExpired = (): boolean => Date.now() >= expiresAt;
      return { token, end: () => expect.poll(hasExpired, { timeout: 2000, interval: 5 }).toBe(true) };
    },
  ],
];

describe.each(ends)('a token that %s', (_name, newToken) => {
  const ask = (token: string, path: string): Promise<Response> =>
    fetch(service.url + path, { headers: { authorization: `Bearer ${token}` } });

  // Holds token.ends-streams, token.refused-within-a-second.
  it('ends a stream of events with a control event, and nothing is told after it', async () => {
    const { token, end } = await newToken();
    const stream = await ask(token, '/changes?offset=now&live=sse');
    expect(stream.status).toBe(200);
    let text = '';
    let isOver = false;
    const reading = (async () => {
      for await (const part of stream.body ?? []) text += Buffer.from(part as Uint8Array).toString();
      isOver = true;
    })();
    await put('told');
    await expect.poll(() => text, { timeout: 5000 }).toContain('"told"');
    await end();
    await put('not-told');
    await expect.poll(() => isOver, SECOND).toBe(true);
    await reading;
    expect(text).not.toContain('not-told');
    expect(text.trimEnd().split('\n').slice(-2)).toEqual([
      'event: control',
      expect.stringMatching(/^data: \{"streamNextOffset":"\d+"/),
    ]);
    const again = await ask(token, '/changes?offset=now&live=sse');
    expect([again.status, await again.json()]).toEqual([401, UNAUTHORIZED]);
  });

  // Holds token.ends-polls.
  it.each([
    ['a long poll', '/changes?offset=now&live=long-poll&timeout=60', undefined],
    ['a read that waits for its entry', '/kv/waited-for', 'wait=60'],
  ])('ends %s with 401', async (_what, path, prefer) => {
    const { token, end } = await newToken();
    let answer: unknown[] | undefined;
    const headers = { authorization: `Bearer ${token}`, ...(prefer && { prefer }) };
    const waiting = fetch(service.url + path, { headers }).then(async (response) => {
      answer = [response.status, await response.json()];
    });
    await end();
    await expect.poll(() => answer, SECOND).toEqual([401, UNAUTHORIZED]);
    await waiting;
  });
});

// Holds token.ends-batches.
it('a token that ends during a batch carries out no later operation of it', async () => {
  const { app } = service;
  const access = new Access(RULES);
  const operations = Array.from({ length: 200 }, (_, i): Operation => ({
    op: 'upsert',
    key: `batch-${i}`,
    value: {},
    ttl: undefined,
    ifMatch: undefined,
  }));
  const room = {
    take: () => Promise.resolve(),
    turn: () => app.get(Answers).turns.take('a'),
  } as unknown as LargeRoom;
  const running = app.get(BatchService).run(operations, room, access);
  access.end();
  const codes = (await running).map((result) => ('error' in result ? result.error.code : 'done'));
  const begun = codes.lastIndexOf('done') + 1;
  expect(begun).toBeGreaterThan(0);
  expect(codes).toEqual([
    ...Array<string>(begun).fill('done'),
    ...Array<string>(200 - begun).fill('UNAUTHORIZED'),
  ]);
  const { body } = await send(
    request(service.url).get('/kv?prefix=batch-&limit=1000&keys_only=true'),
    ADMIN_TOKEN,
  );
  expect((body as { items: unknown[] }).items).toHaveLength(begun);
});

// Holds token.unknown-is-503.
it('a process that has not heard of the tokens for a second answers 503 and serves nothing', async () => {
  const { token } = await newTokenFor(service.url, RULES);
  const other = await startInstance(service.config);
  const url = await other.getUrl();
  await expect.poll(async () => (await send(request(url).get('/kv/state'), token)).status).toBe(200);
  await service.tarantool.stop();
  const status = async (): Promise<number> => (await send(request(url).get('/kv/state'), token)).status;
  await expect.poll(status, { timeout: 3000 }).toBe(503);
  await service.tarantool.start();
  await expect.poll(status, { timeout: 5000 }).toBe(200);
  await other.close();
});
