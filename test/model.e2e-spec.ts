import fc from 'fast-check';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

// Random sequences of every operation, by several clients at once, each on keys of its own: the service against a model that is
// a map. MODEL_RUNS and MODEL_SEED make a longer run of it, or the same one again.
const CLIENTS = 6;
const RUNS = Number(process.env['MODEL_RUNS'] ?? 18);
const SEED = Number(process.env['MODEL_SEED'] ?? Date.now());
const COMMANDS = 1000;
const KEYS = 5;

interface Answer {
  status: number;
  body: unknown;
  version: number;
}

interface Entry {
  value: Record<string, unknown>;
  version: number;
}

/** The model: what one client's keys hold. */
type Model = Map<string, Entry>;

let service: TestApp;
let operations = 0;
/** The newest revision that any answer has shown. */
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
beforeAll(async () => {
  service = await startTestApp({ TARANTOOL_WAL_MODE: 'write' });
});
afterAll(async () => {
  agent.destroy();
  await service.stop();
});

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
          const version = Number(incoming.headers.etag?.slice(1, -1) ?? 0);
          resolve({ status: incoming.statusCode ?? 0, body: text && JSON.parse(text), version });
        }, reject);
      });
      outgoing.on('error', reject);
      outgoing.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** A write gives a version that is newer than all this client has seen. */
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

  run(model: Model, client: Client): Promise<void> {
    return this.perform(model, client, `${client.prefix}${this.keyNumber}`);
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
const keyNumber = fc.nat(KEYS - 1);
const command = <T>(name: string, input: fc.Arbitrary<T>, perform: (input: T) => Run) =>
  fc.tuple(keyNumber, input).map(([key, given]) => new Command(name, key, perform(given)));

/** A write that needs the entry: the model's answer where it is missing, or of another version. */
const refusedUnless = (entry: Entry | undefined, matches: boolean): Answer | undefined => {
  if (!entry) return { status: 404, body: answers.keyNotFound, version: 0 };
  return matches ? undefined : { status: 412, body: answers.preconditionFailed, version: entry.version };
};

const ifMatch = fc.constantFrom('none', 'present', 'other', 'any');
type Matching = 'none' | 'present' | 'other' | 'any';
const fieldOf = (how: Matching, entry?: Entry): Record<string, string> => {
  if (how === 'none') return {};
  return { 'If-Match': how === 'any' ? '*' : `"${how === 'present' ? (entry?.version ?? 1) : 987_654_321}"` };
};

const commands = [
  command('insert', value, (given) => async (model, client, key) => {
    const entry = model.get(key);
    const answer = await client.send('POST', '/kv', { key, value: given });
    if (entry) return expect(answer).toMatchObject({ status: 409, body: answers.keyExists });
    expect(answer).toMatchObject({ status: 200, body: answers.inserted });
    client.expectNewer(answer.version);
    model.set(key, { value: given, version: answer.version });
  }),
  command('get', fc.boolean(), (isConditional) => async (model, client, key) => {
    const entry = model.get(key);
    const field = isConditional && entry ? { 'If-None-Match': `"${entry.version}"` } : undefined;
    const answer = await client.send('GET', `/kv/${key}`, undefined, field);
    if (!entry) return expect(answer).toEqual({ status: 404, body: answers.keyNotFound, version: 0 });
    expect(answer).toEqual(
      field
        ? { status: 304, body: '', version: entry.version }
        : { status: 200, body: { value: entry.value }, version: entry.version },
    );
  }),
  command('update', fc.tuple(value, ifMatch), ([given, how]) => async (model, client, key) => {
    const entry = model.get(key);
    const answer = await client.send('PUT', `/kv/${key}`, { value: given }, fieldOf(how, entry));
    const refused = refusedUnless(entry, how !== 'other');
    if (refused) return expect(answer).toEqual(refused);
    expect(answer).toMatchObject({ status: 200, body: answers.updated });
    client.expectNewer(answer.version);
    model.set(key, { value: given, version: answer.version });
  }),
  command('upsert', fc.tuple(value, fc.boolean()), ([given, mustCreate]) => async (model, client, key) => {
    const entry = model.get(key);
    const field: Record<string, string> = mustCreate ? { 'If-None-Match': '*' } : {};
    const answer = await client.send('PUT', `/kv/${key}?upsert=true`, { value: given }, field);
    if (entry && mustCreate) return expect(answer).toEqual(refusedUnless(entry, false));
    expect(answer).toMatchObject({ status: 200, body: entry ? answers.updated : answers.inserted });
    client.expectNewer(answer.version);
    model.set(key, { value: given, version: answer.version });
  }),
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
    if (!entry) return expect(answer).toMatchObject({ status: 404, body: answers.keyNotFound });
    client.expectNewer(answer.version);
    const { o: _removed, ...rest } = entry.value;
    model.set(key, { value: { ...rest, n }, version: answer.version });
  }),
  command('touch', fc.constantFrom(100, null), (ttl) => async (model, client, key) => {
    const entry = model.get(key);
    const answer = await client.send('POST', `/kv/${key}/touch`, { ttl });
    expect(answer).toEqual(
      entry
        ? { status: 200, body: answers.touched, version: entry.version }
        : { status: 404, body: answers.keyNotFound, version: 0 },
    );
  }),
  command('list', fc.boolean(), (reverse) => async (model, client) => {
    const items: unknown[] = [];
    let path: string | undefined = `/kv?prefix=${client.prefix}&limit=3${reverse ? '&reverse=true' : ''}`;
    while (path) {
      const { status, body } = await client.send('GET', path);
      expect(status).toBe(200);
      const page = body as { items: unknown[]; next_cursor: string | null };
      items.push(...page.items);
      path = page.next_cursor ? `/kv?cursor=${page.next_cursor}&limit=3` : undefined;
    }
    const expected = [...model]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, { value: held, version }]) => ({ key, value: held, version: String(version) }));
    expect(items).toEqual(reverse ? expected.toReversed() : expected);
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
        { value: given, version: revision },
      ],
    });
    client.expectNewer(Number(revision));
    model.set(key, { value: given, version: Number(revision) });
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
      { value: given, version },
      { ...answers.keyExists, version },
    ]);
    client.expectNewer(Number(version));
    model.set(key, { value: given, version: Number(version) });
  }),
];

it('does what the model does', { timeout: 0 }, async () => {
  let runs = 0;
  await Promise.all(
    Array.from({ length: CLIENTS }, (_, number) =>
      fc.assert(
        fc.asyncProperty(fc.commands(commands, { maxCommands: COMMANDS, size: 'max' }), async (sequence) => {
          const client = new Client(`c${number}-${++runs}-`);
          await fc.asyncModelRun(() => ({ model: new Map(), real: client }), sequence);
        }),
        { numRuns: RUNS, seed: SEED + number, endOnFailure: true },
      ),
    ),
  );
  expect(operations).toBeGreaterThan(50_000 * Math.min(1, RUNS / 18));
  process.stderr.write(`${operations} operations agreed with the model, seed ${SEED}\n`);
});
