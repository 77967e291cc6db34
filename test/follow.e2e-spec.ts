import { afterEach, describe, expect, it } from 'vitest';
import { catchUp, FeedCopy, getUntilAnswered, walk } from './support/feed-copy.js';
import { FeedFollower } from './support/feed-follower.js';
import type { FeedHistory, ToldChange } from './support/feed-history.js';
import { revisionOf } from './support/feed-message.js';
import { validators } from './support/feed-validators.js';
import { FeedWriters } from './support/feed-writers.js';
import { randomFrom } from './support/random.js';
import { ServiceProcess } from './support/service-process.js';

/** Larger numbers make a longer run. */
const option = (name: string, byDefault: number): number => Number(process.env[`FEED_${name}`] ?? byDefault);
const EVENTS = option('EVENTS', 1000);
const RECONNECTS = option('RECONNECTS', 20);
const KILLS = option('KILLS', 2);
/** Larger batches make more events of the same work. */
const BATCH = option('BATCH', 20);
const WRITERS = option('WRITERS', 4);
const SEED = option('SEED', Math.floor(Math.random() * 2 ** 32));
const LONG_MS = 60_000 + EVENTS * 20 + KILLS * 10_000;
const MODES = ['sse', 'long-poll'] as const;

const random = randomFrom(SEED);
const pick = <T>(things: readonly T[]): T => things[Math.floor(random() * things.length)] as T;

let service: ServiceProcess;
afterEach(() => service.remove());

async function start(environment: Record<string, string>): Promise<void> {
  service = await ServiceProcess.create({ LOG_LEVEL: 'warn', ...environment });
  await service.startUnheard();
}

const tail = async (): Promise<string> =>
  (await getUntilAnswered(`${service.url}/changes?offset=now`)).headers.get('stream-next-offset') ?? '';

/** Kills a worker or Tarantool, and resolves when the service is ready again. */
async function kill(n: number): Promise<void> {
  const pid = n % 2 === 0 ? pick(service.workerPids) : service.tarantoolPid;
  if (pid > 0) process.kill(pid, 'SIGKILL');
  await expect.poll(() => service.probe('ready'), { interval: 50 }).toBe(200);
}

/** Waits until the writers have been told of so many writes. */
async function written({ acknowledged }: FeedWriters, count: number): Promise<void> {
  const written = (): number => acknowledged.length;
  await expect.poll(written, { interval: 5, timeout: LONG_MS }).toBeGreaterThanOrEqual(count);
}

/** Does something again and again, spread over a number of writes. */
async function spread(
  writers: FeedWriters,
  writes: number,
  times: number,
  act: (n: number) => unknown,
): Promise<void> {
  for (let n = 0; n < times; n++) {
    await written(writers, ((n + 1) * writes) / (times + 1));
    await act(n);
  }
  await written(writers, writes);
}

/** The log from an offset on, when it explains all that a walk shows. Entries may go on expiring meanwhile. */
async function logFrom(offset: string): Promise<{ reference: ToldChange[]; end: string }> {
  const reference: ToldChange[] = [];
  const replayed = new FeedCopy();
  let end = offset;
  const isExplained = async (): Promise<boolean> => {
    const { changes, next } = await catchUp(service.url, end, replayed);
    for (const change of changes) reference.push(change);
    end = next;
    return String(replayed.get('w')) === String((await walk(service.url)).copy.get('w'));
  };
  await expect.poll(isExplained).toBe(true);
  expect(replayed.wentBack).toEqual([]);
  return { reference, end };
}

/** What a follower saw up to a revision. */
function historyOf({ deliveries }: FeedFollower, until: number): FeedHistory['deliveries'] {
  return deliveries.map((delivery) => ({
    ...delivery,
    changes: delivery.changes.filter(({ revision }) => revision <= until),
    next: Math.min(delivery.next, until),
  }));
}

describe(`following the changes (FEED_SEED=${SEED})`, () => {
  it(
    'keeps every guarantee, whoever is cut off or killed',
    async () => {
      const mib = 8 + Math.ceil(EVENTS / 2000);
      await start({ CHANGES_MEMORY: String(mib), TARANTOOL_MEMORY: String(64 + 2 * mib) });
      const { url } = service;
      const first = await tail();
      const followers = ['', '', 'w1/', 'w2/1'].flatMap((prefix) =>
        MODES.map((live) => ({ prefix, follower: new FeedFollower({ url, prefix, live, offset: first }) })),
      );
      const writers = new FeedWriters(url, WRITERS, random, { keys: BATCH + 5, batch: BATCH });
      await Promise.all([
        spread(writers, EVENTS, RECONNECTS, () => pick(followers).follower.cut()),
        spread(writers, EVENTS, KILLS, kill),
      ]);
      await writers.stop();
      const { reference, end } = await logFrom(first);
      const isBehind = (): boolean => followers.every(({ follower: { offset } }) => offset >= end);
      await expect.poll(isBehind, { interval: 20 }).toBe(true);
      await Promise.all(followers.map(({ follower }) => follower.stop()));

      const { acknowledged, refused, unexpected } = writers;
      const violations: string[] = [];
      for (const { prefix, follower } of followers) {
        const deliveries = historyOf(follower, revisionOf(end));
        const history = { prefix, deliveries, acknowledged, reference, held: revisionOf(first) };
        for (const [name, validate] of Object.entries(validators)) {
          for (const found of validate(history)) violations.push(`${name}, prefix '${prefix}': ${found}`);
        }
      }
      const cuts = followers.reduce((sum, { follower }) => sum + follower.cuts, 0);
      const told = followers.reduce(
        (sum, { follower }) => follower.deliveries.reduce((n, { changes }) => n + changes.length, sum),
        0,
      );
      if (process.env['FEED_EVENTS']) {
        const [writes, events, failed] = [acknowledged.length, reference.length, violations.length];
        console.log(JSON.stringify({ SEED, writes, events, told, cuts, KILLS, violations: failed }));
      }
      expect(violations.slice(0, 20)).toEqual([]);
      expect(unexpected).toEqual([]);
      expect(reference.filter(({ json }) => json !== undefined && refused.has(json))).toEqual([]);
    },
    LONG_MS,
  );

  // Holds changes.snapshot, changes.snapshot-resumes.
  it('copies a store that changes, and no key goes back in time', async () => {
    await start({});
    const { url } = service;
    const operations = Array.from({ length: 1000 }, (_, n) => ({
      op: 'insert',
      key: `p/${n}`,
      value: { n },
    }));
    for (const part of ['a', 'b', 'c']) {
      const body = {
        operations: operations.map((operation) => ({ ...operation, key: part + operation.key })),
      };
      const answer = await fetch(`${url}/batch`, { method: 'POST', body: Buffer.from(JSON.stringify(body)) });
      expect([answer.status, (await answer.text()).includes('"status":503')]).toEqual([200, false]);
    }
    const writers = new FeedWriters(url, 10, random);
    await written(writers, 100);
    const copies = MODES.map((live) => {
      const copy = new FeedCopy();
      const onTold = (messages: Parameters<FeedCopy['apply']>[0]): void => copy.apply(messages);
      return { copy, follower: new FeedFollower({ url, live, offset: '-1', onTold }) };
    });
    await spread(writers, writers.acknowledged.length + 1000, 20, () => pick(copies).follower.cut());
    await writers.stop();
    const areCopies = async (): Promise<boolean> => {
      const present = String((await walk(url)).copy.get());
      return copies.every(({ copy }) => String(copy.get()) === present);
    };
    await expect.poll(areCopies).toBe(true);
    await Promise.all(copies.map(({ follower }) => follower.stop()));
    expect(copies.flatMap(({ copy }) => copy.wentBack)).toEqual([]);
  });

  // Holds changes.gone, changes.reset, list.next-offset.
  it('leads back who has fallen out of the log, by a snapshot and by a walk', async () => {
    await start({ CHANGES_MEMORY: '1' });
    const { url } = service;
    const offset = await tail();
    const put = (n: number) => {
      const body = Buffer.from(JSON.stringify({ value: { n, text: 'x'.repeat(100_000) } }));
      return fetch(`${url}/kv/large?upsert=true`, { method: 'PUT', body });
    };
    for (let n = 0; n < 15; n++) expect((await put(n)).status).toBe(200);
    await expect.poll(async () => (await fetch(`${url}/changes?offset=${offset}`)).status).toBe(410);

    const writers = new FeedWriters(url, 2, random, { keys: 10, pauseMs: 5 });
    const copies = MODES.map((live) => {
      const copy = new FeedCopy();
      const onTold = (messages: Parameters<FeedCopy['apply']>[0]): void => copy.apply(messages);
      return { copy, follower: new FeedFollower({ url, live, offset, onTold }) };
    });
    await written(writers, 20);
    const walked = await walk(url, 5);
    await written(writers, writers.acknowledged.length + 100);
    await writers.stop();
    let { next } = walked;
    const areCopies = async (): Promise<boolean> => {
      ({ next } = await catchUp(url, next, walked.copy));
      const present = String((await walk(url)).copy.get());
      return [walked, ...copies].every(({ copy }) => String(copy.get()) === present);
    };
    await expect.poll(areCopies).toBe(true);
    await Promise.all(copies.map(({ follower }) => follower.stop()));
    const refusals = copies.map(({ follower }) => follower.deliveries.filter(({ isGone }) => isGone).length);
    expect(refusals).toEqual([1, 1]);
  });
});
