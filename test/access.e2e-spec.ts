import fc from 'fast-check';
import { Agent, request as httpRequest } from 'node:http';
import request from 'supertest';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ChangeFeed } from '../src/feed/change-feed.js';
import { isGiven, keysMarkedIn, keysNamedIn, markOf, verdictOf } from './support/access-model.js';
import type { ModelToken, Verdict } from './support/access-model.js';
import { accessRequest, KEYS, rules } from './support/access-requests.js';
import type { AccessRequest } from './support/access-requests.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';
import { ADMIN_TOKEN, newTokenFor, send } from './support/tokens.js';

// Sends requests of every kind with tokens of every kind, and compares what happens with a model of the rules.
// ACCESS_CASES and ACCESS_SEED make a longer run, or repeat one.
const CASES = Number(process.env['ACCESS_CASES'] ?? 1600);
const SEED = Number(process.env['ACCESS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const CASES_OF_A_ROUND = 400;
const AT_ONCE = 16;
const VALID_TOKENS = 4;

const REFUSALS: Record<Exclude<Verdict, 'allowed'>, [number, string]> = {
  unauthorized: [401, 'unauthorized'],
  forbidden: [403, 'forbidden'],
};

const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({
    ADMIN_TOKEN,
    TARANTOOL_WAL_MODE: 'write',
    TARANTOOL_MEMORY: '512',
    CHANGES_MEMORY: '64',
  });
});
afterAll(async () => {
  agent.destroy();
  await service.stop();
});
afterEach(() => vi.restoreAllMocks());

interface Answer {
  readonly status: number;
  readonly text: string;
  /** Status line, fields and body: everything in which something may be given away. */
  readonly all: string;
}

/** A stream of events is read up to its first control event. */
function ask(
  token: string,
  { method, path, fields, body }: Omit<AccessRequest, 'name' | 'needs'>,
): Promise<Answer> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(text !== undefined && {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(text),
    }),
    ...fields,
    Authorization: `Bearer ${token}`,
  };
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(service.url + path, { method, headers, agent }, (incoming) => {
      let read = '';
      const done = (): void => {
        const { statusCode: status = 0, rawHeaders } = incoming;
        resolve({ status, text: read, all: [status, ...rawHeaders, read].join('\n') });
      };
      incoming.setEncoding('utf8').on('data', (part: string) => {
        read += part;
        if (path.includes('live=sse') && read.includes('event: control')) {
          done();
          incoming.destroy();
        }
      });
      incoming.on('end', done).on('error', reject);
    });
    outgoing.on('error', reject).end(text);
  });
}

const admin = (method: string, path: string, body?: unknown): Promise<Answer> =>
  ask(ADMIN_TOKEN, { method, path, fields: {}, body });

/** Everything in the store, by key: as the listing shows it. */
async function everything(): Promise<Map<string, string>> {
  const { text } = await admin('GET', '/kv?limit=1000');
  const { items } = JSON.parse(text) as { items: { key: string }[] };
  return new Map(items.map((item) => [item.key, JSON.stringify(item)]));
}

/** Two tokens that have ended are among them: one was deleted, and one has expired. */
async function newTokens(): Promise<ModelToken[]> {
  const valid = fc.sample(rules, { numRuns: VALID_TOKENS, seed: seed() });
  const made = await Promise.all(valid.map((each) => newTokenFor(service.url, each)));
  const all = [{ prefix: '', rights: ['read', 'write', 'admin'] as const }];
  const deleted = await newTokenFor(service.url, all);
  await send(request(service.url).delete(`/tokens/${deleted.id}`), ADMIN_TOKEN).expect(200);
  const end = Date.now() + 300;
  const expired = await newTokenFor(service.url, all, { expires_at: new Date(end).toISOString() });
  await expect.poll(() => Date.now(), { interval: 5 }).toBeGreaterThanOrEqual(end);
  return [
    ...made.map(({ token }, i) => ({ token, rules: valid[i] ?? [], isValid: true })),
    { token: deleted.token, rules: all, isValid: false },
    { token: expired.token, rules: all, isValid: false },
  ];
}

/** There may not be very many at the same time. */
async function deleteTokens(): Promise<void> {
  const { items } = JSON.parse((await admin('GET', '/tokens')).text) as { items: { id: string }[] };
  for (const { id } of items) await admin('DELETE', `/tokens/${id}`);
}

let rounds = 0;
const seed = (): number => (SEED + 7919 * rounds) % 2 ** 31;

/** Replaces what only the store knows: a cursor of somebody else's walk, and an offset of the past. */
async function withPlaces(
  { path, ...rest }: AccessRequest,
  offset: string,
): Promise<AccessRequest | undefined> {
  const [, of] = /^\/kv\?cursor=CURSOR&of=(.*)$/.exec(path) ?? [];
  if (of === undefined) return { ...rest, path: path.replace('OFFSET', offset) };
  const { text } = await admin('GET', `/kv?prefix=${of}&limit=1`);
  const { next_cursor: cursor } = JSON.parse(text) as { next_cursor: string | null };
  return cursor === null ? undefined : { ...rest, path: `/kv?cursor=${cursor}` };
}

/** What an answer gives away that the token may not know. */
function leaks({ text, all }: Pick<Answer, 'text' | 'all'>, token: ModelToken): string[] {
  const known = new Set([...keysMarkedIn(all), ...keysNamedIn(text)]);
  return [...known].filter((key) => !token.isValid || !isGiven(token.rules, ['read', key]));
}

/** How an answer differs from what the model says. */
function faults(token: ModelToken, sent: AccessRequest, answer: Answer): string[] {
  const verdict = verdictOf(token, sent.needs);
  const found = leaks(answer, token).map((key) => `gives away ${key}`);
  const { status, text } = answer;
  if (verdict === 'allowed') {
    if (status === 401 || status === 403 || status >= 500) found.push(`is answered ${status}`);
    return found.concat(operationFaults(token, sent, text));
  }
  const [expected, message] = REFUSALS[verdict];
  const isPlain = text === JSON.stringify({ message, status: expected });
  const isProblem =
    sent.fields['Accept'] !== undefined && text.endsWith(`"code":"${message}","message":"${message}"}`);
  if (status !== expected || !(isPlain || isProblem || sent.method === 'HEAD')) {
    found.push(`is answered ${status} ${text.slice(0, 200)}, but is ${verdict}`);
  }
  return found;
}

function operationFaults(token: ModelToken, { operations }: AccessRequest, text: string): string[] {
  if (!operations) return [];
  const { results } = JSON.parse(text) as { results: { status: number }[] };
  return operations.flatMap((need, i) => {
    const isRefused = results[i]?.status === 403;
    return isRefused === (verdictOf(token, [need]) === 'allowed')
      ? [`operation ${i} is answered ${results[i]?.status}`]
      : [];
  });
}

/** Follows what each valid token may read, until it is stopped. Resolves to what it has given away. */
async function followAll(tokens: readonly ModelToken[]): Promise<() => string[]> {
  const all = await Promise.all(
    tokens
      .filter(({ isValid }) => isValid)
      .flatMap((token) =>
        token.rules.filter(({ rights }) => rights.includes('read')).map(({ prefix }) => ({ token, prefix })),
      )
      .map(async ({ token, prefix }) => {
        const over = new AbortController();
        const headers = { authorization: `Bearer ${token.token}` };
        const url = `${service.url}/changes?offset=now&live=sse&prefix=${encodeURIComponent(prefix)}`;
        const { body } = await fetch(url, { headers, signal: over.signal });
        const heard = { text: '' };
        void (async () => {
          for await (const part of body ?? []) heard.text += Buffer.from(part as Uint8Array).toString();
        })().catch(() => undefined);
        return { token, prefix, heard, over };
      }),
  );
  return () =>
    all.flatMap(({ token, prefix, heard: { text }, over }) => {
      over.abort();
      const beside = [...keysNamedIn(text)].filter((key) => !key.startsWith(prefix));
      const given = [...leaks({ text, all: text }, token), ...beside];
      return given.map((key) => `a stream of changes with the prefix "${prefix}" gives away ${key}`);
    });
}

/** Sends so many requests with new tokens, and tells in what the service differs from the model. */
async function round(count: number): Promise<string[]> {
  rounds++;
  for (const key of KEYS) {
    if ((rounds + key.length) % 2 === 0)
      await admin('PUT', `/kv/${encodeURIComponent(key)}?upsert=true`, {
        value: { mark: markOf(key), n: 0 },
      });
  }
  const tokens = await newTokens();
  const stopFollowing = await followAll(tokens);
  const before = await everything();
  const offset = /stream-next-offset\n(\S+)/i.exec((await admin('HEAD', '/changes')).all)?.[1] ?? '';
  const cases = fc.sample(fc.tuple(fc.constantFrom(...tokens), accessRequest), {
    numRuns: count,
    seed: seed(),
  });
  const found: string[] = [];
  const next = cases[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const [token, generated] of next) {
      const sent = await withPlaces(generated, offset);
      if (!sent) continue;
      const what = `${sent.name} ${sent.path} with ${JSON.stringify(token.rules)}`;
      found.push(...faults(token, sent, await ask(token.token, sent)).map((fault) => `${what} ${fault}`));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const after = await everything();
  for (const key of new Set([...before.keys(), ...after.keys()])) {
    const isWritable = tokens.some((token) => token.isValid && isGiven(token.rules, ['write', key]));
    if (!isWritable && before.get(key) !== after.get(key))
      found.push(`${key} was changed, which no token may write`);
  }
  found.push(...stopFollowing());
  await deleteTokens();
  return found;
}

describe('whatever token is shown', () => {
  // Holds token.read, token.write, token.forbidden, token.batch, token.txn, token.prefix-of-listing.
  it(
    `a request does what the rules allow and tells no more, ${CASES} requests with seed ${SEED}`,
    async () => {
      for (let sent = 0; sent < CASES; sent += CASES_OF_A_ROUND) {
        expect(await round(Math.min(CASES_OF_A_ROUND, CASES - sent))).toEqual([]);
      }
    },
    60_000 + CASES * 20,
  );

  it('a service whose changes ignore the prefix is found out', async () => {
    const feed = service.app.get(ChangeFeed);
    const [latest, read] = [feed.latest.bind(feed), feed.read.bind(feed)];
    vi.spyOn(feed, 'latest').mockImplementation((after, _prefix, maxBytes) => latest(after, '', maxBytes));
    vi.spyOn(feed, 'read').mockImplementation((after, _prefix, maxBytes) => read(after, '', maxBytes));
    const found: string[] = [];
    for (let i = 0; i < 5 && found.length === 0; i++) found.push(...(await round(CASES_OF_A_ROUND)));
    expect(found.filter((fault) => fault.includes('changes'))).not.toEqual([]);
  }, 60_000);
});
