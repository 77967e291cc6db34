import fc from 'fast-check';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

// Random sequences of every operation, by several clients at the same time, each on its own keys. The service is
// compared with a model that is a map. MODEL_RUNS and MODEL_SEED make a longer run, or repeat one.
const CLIENTS = 6;
const RUNS = Number(process.env['MODEL_RUNS'] ?? 5);
const SEED = Number(process.env['MODEL_SEED'] ?? Date.now());
const COMMANDS = 1000;
/** Some keys are used repeatedly. Others are left alone long enough to expire. */
const BUSY_KEYS = 5;
const QUIET_KEYS = 60;

/**
 * When an entry expires within this many ms, the client waits. Otherwise it could not tell whether an answer is from
 * before or after.
 */
const CLOSE_MS = 20;

interface Answer {
  status: number;
  body: unknown;
  version: number;
  expiresAt: number | undefined;
}

interface Entry {
  value: Record<string, unknown>;
  version: number;
  /** By the store's clock, which is this machine's clock, in ms. */
  expiresAt: number | undefined;
}

/** The model: the entries of one client's keys. */
class Model {
  private readonly entries = new Map<string, Entry>();

  /** Expired entries count as missing. */
  get(key: string): Entry | undefined {
    const entry = this.entries.get(key);
    return entry && isAlive(entry, Date.now()) ? entry : undefined;
  }

  set(key: string, entry: Entry): void {
    this.entries.set(key, entry);
  }

  delete(key: string): void {
    this.entries.delete(key);
  }

  expiresAt(key: string): number {
    return this.entries.get(key)?.expiresAt ?? Infinity;
  }

  /** In the order of keys. */
  all(): [string, Entry][] {
    return [...this.entries].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
}

function isAlive({ expiresAt = Infinity }: Entry, now: number): boolean {
  return now < expiresAt;
}

let service: TestApp;
let operations = 0;
let expired = 0;
let uncertain = 0;
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
beforeAll(async () => {
  service = await startTestApp({ TARANTOOL_WAL_MODE: 'write' });
});
afterAll(async () => {
  agent.destroy();
  await service.stop();
});

function expiryIn(field: string | string[] | undefined): number | undefined {
  return typeof field === 'string' ? Date.parse(field) : undefined;
}

/** One client: it sends its requests one after the other. */
class Client {
  newest = 0;

  constructor(readonly prefix: string) {}

  send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    operations++;
    return new Promise((resolve, reject) => {
      const outgoing = request(`${service.url}${path}`, { agent, method, headers }, (incoming) => {
        incoming.toArray().then((chunks) => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: incoming.statusCode ?? 0,
            body: text && JSON.parse(text),
            version: Number(incoming.headers.etag?.slice(1, -1) ?? 0),
            expiresAt: expiryIn(incoming.headers['kv-expires-at']),
          });
        }, reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Takes over the service's answer. */
  async look(model: Model, key: string): Promise<void> {
    const { status, body, version, expiresAt } = await this.send('GET', `/kv/${key}`);
    if (status === 404) return model.delete(key);
    model.set(key, { value: (body as { value: Entry['value'] }).value, version, expiresAt });
    this.newest = Math.max(this.newest, version);
  }

  /** A write gives a version that is newer than all versions that this client has seen. */
  expectNewer(version: number): void {
    expect(version).toBeGreaterThan(this.newest);
    this.newest = version;
  }
}

type Run = (model: Model, client: Client, key: string) => Promise<void>;

class Command implements fc.AsyncCommand<Model, Client> {
  constructor(
    private readonly name: string,
    private readonly keyNumber: number,
    private readonly perform: Run,
  ) {}

  check = (): boolean => true;

  async run(model: Model, client: Client): Promise<void> {
    const key = `${client.prefix}${this.keyNumber}`;
    const expiresAt = model.expiresAt(key);
    const began = Date.now();
    if (expiresAt <= began) expired++;
    if (expiresAt > began && expiresAt - began < CLOSE_MS) await pause(expiresAt - began + 1);
    const [outcome] = await Promise.allSettled([this.perform(model, client, key)]);
    if (expiresAt > began + CLOSE_MS && expiresAt <= Date.now()) {
      // The request took so long that the entry has expired meanwhile. Either answer may be right.
      uncertain++;
      await client.look(model, key);
    } else if (outcome.status === 'rejected') throw outcome.reason;
  }

  toString(): string {
    return `${this.name}(${this.keyNumber})`;
  }
}

const value = fc.record({
  n: fc.integer(),
  t: fc.string(),
  o: fc.dictionary(fc.string(), fc.boolean(), { maxKeys: 3 }),
});
const keyNumber = fc.oneof(
  { weight: 3, arbitrary: fc.nat(BUSY_KEYS - 1) },
  { weight: 1, arbitrary: fc.integer({ min: BUSY_KEYS, max: BUSY_KEYS + QUIET_KEYS - 1 }) },
);
/** The time to live in seconds. One second is the shortest. */
const ttl = fc.constantFrom(undefined, 1, 1, 1, 100);
const command = <T>(name: string, input: fc.Arbitrary<T>, perform: (input: T) => Run) =>
  fc.tuple(keyNumber, input).map(([key, given]) => new Command(name, key, perform(given)));

/** When an entry expires that was written, with a time to live, between these two times. */
function expectExpiry(answer: Answer, began: number, seconds: number | undefined): void {
  if (seconds === undefined) return expect(answer.expiresAt).toBeUndefined();
  expect(answer.expiresAt).toBeGreaterThanOrEqual(began + seconds * 1000 - 1);
  expect(answer.expiresAt).toBeLessThanOrEqual(Date.now() + seconds * 1000 + 1);
}

/** A write that needs an existing entry: the model's answer where it is missing, or has another version. */
const missing: Answer = { status: 404, body: answers.keyNotFound, version: 0, expiresAt: undefined };
const refusedUnless = (entry: Entry | undefined, matches: boolean): Answer | undefined => {
  if (!entry) return missing;
  if (matches) return undefined;
  return { status: 412, body: answers.preconditionFailed, version: entry.version, expiresAt: undefined };
};

const ifMatch = fc.constantFrom('none', 'present', 'other', 'any');
type Matching = 'none' | 'present' | 'other' | 'any';
const fieldOf = (how: Matching, entry?: Entry): Record<string, string> => {
  if (how === 'none') return {};
  return { 'If-Match': how === 'any' ? '*' : `"${how === 'present' ? (entry?.version ?? 1) : 987_654_321}"` };
};

const commands = [
  command('insert', fc.tuple(value, ttl), ([given, seconds]) => async (model, client, key) => {
    const entry = model.get(key);
    const began = Date.now();
    const answer = await client.send('POST', '/kv', { key, value: given, ttl: seconds });
    if (entry) return expect(answer).toMatchObject({ status: 409, body: answers.keyExists });
    expect(answer).toMatchObject({ status: 200, body: answers.inserted });
    client.expectNewer(answer.version);
    expectExpiry(answer, began, seconds);
    model.set(key, { value: given, version: answer.version, expiresAt: answer.expiresAt });
  }),
  command('get', fc.boolean(), (isConditional) => async (model, client, key) => {
    const entry = model.get(key);
    const field = isConditional && entry ? { 'If-None-Match': `"${entry.version}"` } : undefined;
    const answer = await client.send('GET', `/kv/${key}`, undefined, field);
    if (!entry) return expect(answer).toEqual(missing);
    const { value: held, version, expiresAt } = entry;
    expect(answer).toEqual(
      field
        ? { status: 304, body: '', version, expiresAt }
        : { status: 200, body: { value: held }, version, expiresAt },
    );
  }),
  command(
    'update',
    fc.tuple(value, ifMatch, fc.oneof(ttl, fc.constant('keep' as const))),
    ([given, how, seconds]) =>
      async (model, client, key) => {
        const entry = model.get(key);
        const began = Date.now();
        const body = { value: given, ttl: seconds };
        const answer = await client.send('PUT', `/kv/${key}`, body, fieldOf(how, entry));
        const refused = refusedUnless(entry, how !== 'other');
        if (refused) return expect(answer).toEqual(refused);
        expect(answer).toMatchObject({ status: 200, body: answers.updated });
        client.expectNewer(answer.version);
        if (seconds === 'keep') expect(answer.expiresAt).toBe(entry?.expiresAt);
        else expectExpiry(answer, began, seconds);
        model.set(key, { value: given, version: answer.version, expiresAt: answer.expiresAt });
      },
  ),
  command(
    'upsert',
    fc.tuple(value, fc.boolean(), ttl),
    ([given, mustCreate, seconds]) =>
      async (model, client, key) => {
        const entry = model.get(key);
        const began = Date.now();
        const field: Record<string, string> = mustCreate ? { 'If-None-Match': '*' } : {};
        const body = { value: given, ttl: seconds };
        const answer = await client.send('PUT', `/kv/${key}?upsert=true`, body, field);
        if (entry && mustCreate) return expect(answer).toEqual(refusedUnless(entry, false));
        expect(answer).toMatchObject({ status: 200, body: entry ? answers.updated : answers.inserted });
        client.expectNewer(answer.version);
        expectExpiry(answer, began, seconds);
        model.set(key, { value: given, version: answer.version, expiresAt: answer.expiresAt });
      },
  ),
  command('delete', ifMatch, (how) => async (model, client, key) => {
    const entry = model.get(key);
    const answer = await client.send('DELETE', `/kv/${key}`, undefined, fieldOf(how, entry));
    const refused = refusedUnless(entry, how !== 'other');
    if (refused) return expect(answer).toEqual(refused);
    expect(answer).toMatchObject({ status: 200, body: answers.deleted });
    model.delete(key);
  }),
  command('patch', fc.integer(), (n) => async (model, client, key) => {
    const entry = model.get(key);
    const type = { 'Content-Type': 'application/merge-patch+json' };
    const answer = await client.send('PATCH', `/kv/${key}`, { n, o: null }, type);
    if (!entry) return expect(answer).toEqual(missing);
    const { expiresAt } = entry;
    expect(answer).toEqual({ status: 200, body: answers.updated, version: answer.version, expiresAt });
    client.expectNewer(answer.version);
    const { o: _removed, ...rest } = entry.value;
    model.set(key, { value: { ...rest, n }, version: answer.version, expiresAt });
  }),
  command('touch', fc.constantFrom(1, 100, null), (seconds) => async (model, client, key) => {
    const entry = model.get(key);
    const began = Date.now();
    const answer = await client.send('POST', `/kv/${key}/touch`, { ttl: seconds });
    if (!entry) return expect(answer).toEqual(missing);
    expect(answer).toMatchObject({ status: 200, body: answers.touched, version: entry.version });
    expectExpiry(answer, began, seconds ?? undefined);
    model.set(key, { ...entry, expiresAt: answer.expiresAt });
  }),
  command('list', fc.boolean(), (reverse) => async (model, client) => {
    const items: { key: string }[] = [];
    const began = Date.now();
    let path: string | undefined = `/kv?prefix=${client.prefix}&limit=20${reverse ? '&reverse=true' : ''}`;
    while (path) {
      const { status, body } = await client.send('GET', path);
      expect(status).toBe(200);
      const page = body as { items: { key: string }[]; next_cursor: string | null };
      items.push(...page.items);
      path = page.next_cursor ? `/kv?cursor=${page.next_cursor}&limit=20` : undefined;
    }
    const ended = Date.now();
    const entries = model.all();
    // Entries that expired meanwhile may be listed or not.
    const isOpen = new Set(
      entries.filter(([, entry]) => isAlive(entry, began) && !isAlive(entry, ended)).map(([key]) => key),
    );
    const expected = entries
      .filter(([key, entry]) => isAlive(entry, began) && !isOpen.has(key))
      .map(([key, { value: held, version, expiresAt }]) => ({
        key,
        value: held,
        version: String(version),
        ...(expiresAt !== undefined && { expires_at: new Date(expiresAt).toISOString() }),
      }));
    expect(items.filter(({ key }) => !isOpen.has(key))).toEqual(reverse ? expected.toReversed() : expected);
  }),
  command('txn', fc.tuple(value, fc.boolean()), ([given, mustExist]) => async (model, client, key) => {
    const entry = model.get(key);
    const answer = await client.send('POST', '/txn', {
      compare: [{ key, exists: mustExist }],
      success: [
        { op: 'upsert', key, value: given },
        { op: 'get', key },
      ],
    });
    if (mustExist !== (entry !== undefined)) {
      return expect(answer).toMatchObject({
        status: 409,
        body: { message: 'transaction aborted', status: 409, failed: [0] },
      });
    }
    const { revision } = answer.body as { revision: string };
    expect(answer.body).toEqual({
      message: 'committed',
      status: 200,
      revision,
      results: [
        { ...(entry ? answers.updated : answers.inserted), version: revision },
        { value: given, status: 200, version: revision },
      ],
    });
    client.expectNewer(Number(revision));
    model.set(key, { value: given, version: Number(revision), expiresAt: undefined });
  }),
  command('batch', value, (given) => async (model, client, key) => {
    const entry = model.get(key);
    const { body } = await client.send('POST', '/batch', {
      operations: [
        { op: 'upsert', key, value: given },
        { op: 'get', key },
        { op: 'insert', key, value: {} },
      ],
    });
    const { results } = body as { results: { version: string }[] };
    const version = results[0]?.version ?? '';
    expect(results).toEqual([
      { ...(entry ? answers.updated : answers.inserted), version },
      { value: given, status: 200, version },
      { ...answers.keyExists, version },
    ]);
    client.expectNewer(Number(version));
    model.set(key, { value: given, version: Number(version), expiresAt: undefined });
  }),
];

it('does what the model does', { timeout: 0 }, async () => {
  let runs = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, number) =>
      fc.assert(
        fc.asyncProperty(fc.commands(commands, { maxCommands: COMMANDS, size: 'max' }), async (sequence) => {
          const client = new Client(`c${number}-${++runs}-`);
          await fc.asyncModelRun(() => ({ model: new Model(), real: client }), sequence);
        }),
        { numRuns: RUNS, seed: SEED + number, endOnFailure: true },
      ),
    ),
  );
  expect(operations).toBeGreaterThan(2000 * RUNS);
  // Entries did expire, and the right answer was nearly always certain.
  expect(expired).toBeGreaterThan(operations / 1000);
  expect(uncertain).toBeLessThan(operations / 100);
  process.stderr.write(
    `${operations} operations agreed with the model, ${expired} of them on expired entries; seed ${SEED}\n`,
  );
});
