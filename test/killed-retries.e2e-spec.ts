import { afterAll, beforeAll, expect, it } from 'vitest';
import { firstRequests, makerOf, randomJob } from './support/keyed-requests.js';
import type { Change, KeyedRequest } from './support/keyed-requests.js';
import { randomFrom } from './support/random.js';
import { RetryingClient } from './support/retrying-client.js';
import type { FullAnswer } from './support/retrying-client.js';
import { ServiceProcess } from './support/service-process.js';

// RETRIES_REQUESTS, RETRIES_KILLS and RETRIES_SEED make a longer run, or repeat one.
const option = (name: string, byDefault: number): number =>
  Number(process.env[`RETRIES_${name}`] ?? byDefault);
const REQUESTS = option('REQUESTS', 300);
const KILLS = option('KILLS', 1);
const SEED = option('SEED', Date.now() % 2 ** 31);
const CLIENTS = 32;
/** Which part of the requests is sent twice at the same time, and which is repeated as soon as it was answered. */
const TOGETHER = 0.2;
const AT_ONCE = 0.2;

let service: ServiceProcess;
beforeAll(async () => {
  service = await ServiceProcess.start({ TARANTOOL_TIMEOUT: '500', TARANTOOL_MEMORY: '256' });
});
afterAll(() => service.remove());

async function changesAfter(offset: string): Promise<Change[]> {
  const all: Change[] = [];
  for (let from = offset; ;) {
    const answer = await fetch(`${service.url}/changes?offset=${from}`);
    expect(answer.status).toBe(200);
    all.push(...((await answer.json()) as Change[]));
    from = answer.headers.get('stream-next-offset') ?? '';
    if (answer.headers.get('stream-up-to-date') === 'true') return all;
  }
}

/** Kills Tarantool. Resolves when the next one serves. */
async function killStore(): Promise<void> {
  const pid = service.tarantoolPid;
  process.kill(pid, 'SIGKILL');
  await expect
    .poll(() => service.tarantoolPid, { interval: 10 })
    .toSatisfy((now) => now !== 0 && now !== pid);
  await expect.poll(() => service.probe('ready'), { interval: 20, timeout: 20_000 }).toBe(200);
}

/** Kills a worker, so that the answers to all its requests are lost. Resolves when there are two again. */
async function killWorker(): Promise<void> {
  const [pid = 0] = service.workerPids;
  process.kill(pid, 'SIGKILL');
  await expect
    .poll(() => service.workerPids.filter((now) => now !== pid).length, { interval: 10, timeout: 20_000 })
    .toBe(2);
}

// Holds retry.applied-once, retry.one-transaction, retry.replay, retry.kept.
it(`applies each write once when Tarantool and workers are killed again and again (RETRIES_SEED=${SEED})`, async () => {
  const random = randomFrom(SEED);
  const client = new RetryingClient(service.url);
  const tail = await fetch(`${service.url}/changes?offset=now`);
  const offset = tail.headers.get('stream-next-offset') ?? '';

  const answered = new Map<KeyedRequest, FullAnswer>();
  const wrong: string[] = [];
  /** Writes that were applied, and whose answer did not arrive. */
  let lost = 0;
  const differ = (request: KeyedRequest, first: FullAnswer, later: FullAnswer): void => {
    if (JSON.stringify(first) !== JSON.stringify(later)) {
      wrong.push(`${request.method} ${request.id}: ${JSON.stringify(first)} and ${JSON.stringify(later)}`);
    }
  };
  const carryOut = async (request: KeyedRequest): Promise<void> => {
    const [isTogether, isAtOnce] = [random() < TOGETHER, random() < AT_ONCE];
    const twin = isTogether ? client.send(request) : undefined;
    const { answer: first, isReplay } = await client.send(request);
    if (twin) differ(request, first, (await twin).answer);
    if (isReplay && (await twin)?.isReplay !== false) lost++;
    if (isAtOnce) differ(request, first, await client.replay(request));
    if (first.status !== 200) wrong.push(`${request.method} ${request.id}: ${first.status} ${first.body}`);
    answered.set(request, first);
  };

  for (const request of firstRequests()) await carryOut(request);
  // Of the store and of a worker in turn, each after a random number of answers.
  const killAt = Array.from({ length: 2 * KILLS }, () => Math.floor(random() * REQUESTS)).toSorted(
    (a, b) => b - a,
  );
  let killing: Promise<void> | undefined;
  const killNext = (): void => {
    killing = (killAt.length % 2 === 0 ? killStore() : killWorker()).finally(() => (killing = undefined));
    killAt.pop();
  };
  let job = 0;
  const run = async (): Promise<void> => {
    while (answered.size < REQUESTS || killAt.length > 0) {
      if (!killing && answered.size >= (killAt.at(-1) ?? Number.POSITIVE_INFINITY)) killNext();
      for (const request of randomJob(`${SEED}-${job++}`, random)) await carryOut(request);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, run));
  await killing;

  const requests = [...answered];
  const replayRest = async (): Promise<void> => {
    for (let next = requests.pop(); next; next = requests.pop())
      differ(...next, await client.replay(next[0]));
  };
  await Promise.all(Array.from({ length: CLIENTS }, replayRest));
  expect(wrong).toEqual([]);

  const revisions = new Map<string, Set<string>>();
  for (const change of await changesAfter(offset)) {
    const mark = makerOf(change);
    revisions.set(mark, (revisions.get(mark) ?? new Set()).add(change.headers.txid));
  }
  const applied = [...revisions].map(([mark, { size }]) => `${mark}: ${size}`);
  expect(applied.toSorted()).toEqual([...answered.keys()].map(({ mark }) => `${mark}: 1`).toSorted());
  if (process.env['RETRIES_REQUESTS']) {
    console.log(`${answered.size} writes, ${client.attempts} attempts, ${lost} answers lost`);
  }
}, 600_000);
