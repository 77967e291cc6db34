import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MsgpackReader } from '../src/msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../src/msgpack/msgpack-writer.js';
import {
  TarantoolNotSentError,
  TarantoolOutcomeUnknownError,
  TarantoolServerError,
} from '../src/tarantool/tarantool-client.errors.js';
import { TarantoolClient, type TarantoolClientOptions } from '../src/tarantool/tarantool-client.js';
import { TARANTOOL_PASSWORD, TARANTOOL_USER, TarantoolProcess } from './support/tarantool-process.js';
import { TcpProxy, repeat, splitAt } from './support/tcp-proxy.js';

const TIMEOUT_MS = 400;
/** What recovery may take, from when the server is back. */
const SECOND = 1000;
/** What ends a wait for a connection, where how long it takes is not the question. */
const PATIENCE_MS = 5000;

const FUNCTIONS = `
  local fiber = require('fiber')
  box.schema.space.create('counter', {if_not_exists = true})
  box.space.counter:create_index('pk', {if_not_exists = true})
  function echo(...) return ... end
  function text(id, bytes) return id, string.rep('x', bytes) end
  function slow(seconds) fiber.sleep(seconds) return seconds end
  function add(id) box.space.counter:insert{id} end
  function count() return box.space.counter:len() end
  function forget() box.space.counter:truncate() end
  function forbidden() end
  for _, name in ipairs{'echo', 'text', 'slow', 'add', 'count', 'forget', 'missing'} do
    box.schema.func.create(name, {setuid = true, if_not_exists = true})
    box.schema.user.grant('${TARANTOOL_USER}', 'execute', 'function', name, {if_not_exists = true})
  end
`;

let tarantool: TarantoolProcess;
let proxy: TcpProxy;
const clients: TarantoolClient[] = [];

beforeAll(async () => {
  tarantool = await TarantoolProcess.start(FUNCTIONS);
});
afterAll(() => tarantool.stop());

beforeEach(async () => {
  proxy = await TcpProxy.start(tarantool.path);
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await proxy.stop();
});

function connecting(options: Partial<TarantoolClientOptions> = {}): TarantoolClient {
  const client = new TarantoolClient({
    host: '127.0.0.1',
    port: proxy.port,
    user: TARANTOOL_USER,
    password: TARANTOOL_PASSWORD,
    timeoutMs: TIMEOUT_MS,
    ...options,
  });
  clients.push(client);
  client.connect();
  return client;
}

async function connected(options: Partial<TarantoolClientOptions> = {}): Promise<TarantoolClient> {
  const client = connecting(options);
  await client.whenConnected(PATIENCE_MS);
  return client;
}

function args(...values: (number | string)[]): Buffer {
  const writer = new MsgpackWriter().arrayHeader(values.length);
  for (const value of values) {
    if (typeof value === 'string') writer.string(value);
    else if (Number.isInteger(value)) writer.integer(value);
    else writer.double(value);
  }
  return writer.bytes();
}

async function text(client: TarantoolClient, id: number, bytes: number): Promise<[number, number]> {
  const reader = await client.call('text', args(id, bytes));
  expect(reader.arrayHeader()).toBe(2);
  return [reader.integer(), reader.string().length];
}

async function echoed(client: TarantoolClient, value: number): Promise<number> {
  const reader = await client.call('echo', args(value));
  reader.arrayHeader();
  return reader.integer();
}

async function counted(client: TarantoolClient): Promise<number> {
  const reader = await client.call('count', args());
  reader.arrayHeader();
  return reader.integer();
}

const lost = (client: TarantoolClient): Promise<void> =>
  expect.poll(() => client.isConnected, { interval: 5 }).toBe(false);

describe('TarantoolClient: answers', () => {
  it('come whole, each to its caller, when 4 kB answers to 32 callers arrive in fragments', async () => {
    const client = await connected({ timeoutMs: 10 * SECOND });
    proxy.tamper = (chunk) => [chunk.subarray(0, 3), chunk.subarray(3, 1500), chunk.subarray(1500)];
    const caller = async (first: number): Promise<void> => {
      for (let id = first; id < first + 40; id++) expect(await text(client, id, 4096)).toEqual([id, 4096]);
    };
    await Promise.all(Array.from({ length: 32 }, (_, i) => caller(i * 1000)));
    expect(proxy.acceptedAt).toHaveLength(1);
  });

  it('of 1 MB come whole while small calls go on', async () => {
    const client = await connected({ timeoutMs: 10 * SECOND });
    const large = Array.from({ length: 20 }, (_, id) => text(client, id, 1_000_000));
    const small = Array.from({ length: 500 }, (_, id) => echoed(client, id));
    expect(await Promise.all(large)).toEqual(large.map((_, id) => [id, 1_000_000]));
    expect(await Promise.all(small)).toEqual(small.map((_, id) => id));
  });

  it('leave no memory behind, however much has been received', async () => {
    const client = await connected({ timeoutMs: 10 * SECOND });
    for (let id = 0; id < 400; id++) await text(client, id, 1_000_000);
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(150_000_000);
  });

  it('are never mixed up among thousands of calls in one turn of the event loop', async () => {
    const client = await connected({ timeoutMs: 10 * SECOND });
    const calls = Array.from({ length: 4000 }, (_, id) => echoed(client, id));
    expect(await Promise.all(calls)).toEqual(calls.map((_, id) => id));
  });

  it('hold what the function returned, not wrapped into further arrays', async () => {
    const client = await connected();
    const reader = await client.call('echo', args(7, 'seven'));
    expect([reader.arrayHeader(), reader.integer(), reader.string()]).toEqual([2, 7, 'seven']);
  });

  it.each([
    [
      'a name that msgpack-lite takes for an error',
      mapOf('a', mapOf('constructor', mapOf('name', 'RangeError'))),
    ],
    ['a name that msgpack-lite takes for a buffer', mapOf('constructor', mapOf('name', 'Uint8Array'))],
    ['a property that msgpack-lite takes for an integer', mapOf('_isUint64BE', true)],
    ['__proto__', mapOf('__proto__', mapOf('polluted', true))],
    ['a lone surrogate', Buffer.from('a3eda080', 'hex')],
    ['an integer over 2^53', Buffer.from('cf0020000000000001', 'hex')],
    ['the least integer', Buffer.from('d38000000000000000', 'hex')],
    ['100 levels', Buffer.concat([Buffer.alloc(100, 0x91), Buffer.of(1)])],
    ['100,000 levels, as a string', new MsgpackWriter().stringOf(Buffer.alloc(100_000, 0x91)).bytes()],
  ])('hand through %s byte by byte', async (_, value) => {
    const client = await connected();
    const reader = await client.call('echo', Buffer.concat([Buffer.of(0x91), value]));
    expect(reader.arrayHeader()).toBe(1);
    expect(reader.buffer.subarray(reader.offset).equals(value)).toBe(true);
  });
});

describe('TarantoolClient: errors of the server', () => {
  it.each([
    ['add', 3, /^Duplicate key/],
    ['forbidden', 42, /^Execute access to function 'forbidden' is denied/],
    ['missing', 33, /^Procedure 'missing' is not defined/],
  ])('%s is answered with code %i', async (name, code, message) => {
    const client = await connected();
    await client.call('forget', args());
    await client.call('add', args(1));
    const error = await client.call(name, args(1)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(TarantoolServerError);
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) as string });
    expect(await echoed(client, 1)).toBe(1);
  });
});

describe('TarantoolClient: a broken connection', () => {
  it('settles every call in flight as unknown, and serves the next one', async () => {
    const client = await connected();
    const calls = Array.from({ length: 50 }, () => client.call('slow', args(0.2)));
    const settled = Promise.allSettled(calls);
    await echoed(client, 1);
    proxy.dropAll();
    for (const call of await settled) {
      expect(call).toMatchObject({ status: 'rejected', reason: expect.any(TarantoolOutcomeUnknownError) });
    }
    await client.whenConnected(PATIENCE_MS);
    expect(await echoed(client, 2)).toBe(2);
  });

  it('in the middle of an answer does not disturb the next connection', async () => {
    const client = await connected();
    proxy.dropInNextAnswer(1000);
    await expect(text(client, 1, 4096)).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    await client.whenConnected(PATIENCE_MS);
    expect(await text(client, 2, 4096)).toEqual([2, 4096]);
  });

  it('is followed by another login when it breaks during the login', async () => {
    // Set before the client connects: the greeting and the answer to the login may come in one turn.
    proxy.tamper = (chunk) => {
      if (chunk.length === 128) return [chunk];
      proxy.tamper = undefined;
      proxy.dropAll();
      return [];
    };
    const client = connecting();
    await client.whenConnected(PATIENCE_MS);
    expect(proxy.acceptedAt).toHaveLength(2);
  });

  it('tells of each state once, and of why', async () => {
    const states: [boolean, string?][] = [];
    const client = await connected({
      onStateChange: (isUp, cause) => states.push(cause === undefined ? [isUp] : [isUp, cause.message]),
    });
    proxy.dropAll();
    await lost(client);
    await client.whenConnected(PATIENCE_MS);
    expect(states).toEqual([[true], [false, 'the server closed the connection'], [true]]);
  });
});

describe('TarantoolClient: a call that is refused', () => {
  it('while there is no connection is never executed later', async () => {
    const client = await connected();
    await client.call('forget', args());
    await tarantool.kill('SIGKILL');
    await lost(client);
    await expect(client.call('add', args(1))).rejects.toBeInstanceOf(TarantoolNotSentError);
    await tarantool.restart();
    await client.whenConnected(PATIENCE_MS);
    expect(await counted(client)).toBe(0);
  });

  it('before the first login is never executed later', async () => {
    const first = await connected();
    await first.call('forget', args());
    const client = connecting();
    await expect(client.call('add', args(1))).rejects.toBeInstanceOf(TarantoolNotSentError);
    await client.whenConnected(PATIENCE_MS);
    expect(await counted(client)).toBe(0);
  });

  // Holds limit.store-calls.
  it('beyond maxInFlight is refused, and there is room again after an answer', async () => {
    const client = await connected({ maxInFlight: 2 });
    const admitted = [client.call('slow', args(0.05)), client.call('slow', args(0.05))];
    await expect(client.call('echo', args(3))).rejects.toBeInstanceOf(TarantoolNotSentError);
    await Promise.all(admitted);
    expect(await echoed(client, 4)).toBe(4);
  });

  // Holds limit.store-calls.
  it('beyond maxQueuedBytes is refused, and what was admitted is executed once', async () => {
    const client = await connected({ timeoutMs: 20 * SECOND, maxQueuedBytes: 1_000_000 });
    await client.call('forget', args());
    proxy.freeze();
    const calls: Promise<unknown>[] = [];
    const padding = 'x'.repeat(100_000);
    for (let id = 0; id < 50; id++) calls.push(client.call('add', args(id, padding)));
    proxy.thaw();
    const settled = await Promise.allSettled(calls);
    const refused = settled.filter((call) => call.status === 'rejected');
    expect(refused).toHaveLength(41);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(TarantoolNotSentError);
    expect(await counted(client)).toBe(9);
  });
});

describe('TarantoolClient: deadlines', () => {
  afterEach(() => tarantool.kill('SIGCONT'));

  it('end a call to a frozen server', async () => {
    const client = await connected();
    await tarantool.kill('SIGSTOP');
    const startedAt = performance.now();
    await expect(client.call('echo', args(1))).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    const tookMs = performance.now() - startedAt;
    expect(tookMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 1);
    expect(tookMs).toBeLessThan(TIMEOUT_MS * 3);
  });

  it('end a connection on which the server has fallen silent', async () => {
    const client = await connected();
    await tarantool.kill('SIGSTOP');
    await expect(client.call('echo', args(1))).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    expect(client.isConnected).toBe(true);
    await lost(client);
    await tarantool.kill('SIGCONT');
    await client.whenConnected(PATIENCE_MS);
    expect(await echoed(client, 2)).toBe(2);
  });

  it('end a handshake that a frozen server does not answer', async () => {
    await tarantool.kill('SIGSTOP');
    const causes: (string | undefined)[] = [];
    const client = connecting({ onStateChange: (_, cause) => causes.push(cause?.message) });
    await expect.poll(() => proxy.acceptedAt.length).toBeGreaterThan(1);
    expect(causes).toEqual([`no login within ${TIMEOUT_MS} ms`]);
    await tarantool.kill('SIGCONT');
    await client.whenConnected(PATIENCE_MS);
  });

  it('are no reason to close: close() settles the calls and does not wait for a frozen server', async () => {
    const client = await connected({ timeoutMs: 60 * SECOND });
    await tarantool.kill('SIGSTOP');
    const call = expect(client.call('echo', args(1))).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    await client.close();
    await call;
    await expect(client.call('echo', args(2))).rejects.toBeInstanceOf(TarantoolNotSentError);
    expect(proxy.acceptedAt).toHaveLength(1);
  });

  it('leave the connection up when a late answer comes', async () => {
    const client = await connected();
    let isLate = false;
    const slow = client.call('slow', args(1)).finally(() => (isLate = true));
    const rejected = expect(slow).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    const sentAt = performance.now();
    for (let id = 0; performance.now() - sentAt < 1.2 * SECOND; id++)
      expect(await echoed(client, id)).toBe(id);
    expect(isLate).toBe(true);
    await rejected;
    expect(proxy.acceptedAt).toHaveLength(1);
  });
});

describe('TarantoolClient: nonsense from the server', () => {
  const answerTo = (sync: number, body: string): Buffer => {
    const writer = new MsgpackWriter().mapHeader(2).integer(0).integer(0).integer(1).integer(sync);
    const packet = Buffer.concat([writer.bytes(), Buffer.from(body, 'hex')]);
    return Buffer.concat([Buffer.of(0xce, 0, 0, 0, packet.length), packet]);
  };

  it.each([
    ['an answer to nothing that was asked', answerTo(123_456, '81309107')],
    ['a packet without a length', Buffer.from('GET / HTTP/1.1')],
    ['an empty packet', Buffer.from('ce00000000', 'hex')],
    ['a packet that is too large', Buffer.from('ceffffffff', 'hex')],
    ['a header that is no map', Buffer.from('ce0000000201c1', 'hex')],
    ['a header that is cut short', Buffer.from('ce000000028200', 'hex')],
  ])('%s ends the connection, not the process, and no call gets a foreign answer', async (_, bytes) => {
    const client = await connected();
    const call = expect(client.call('slow', args(0.3))).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    await echoed(client, 1);
    proxy.inject(bytes);
    await call;
    await client.whenConnected(PATIENCE_MS);
    expect(await echoed(client, 2)).toBe(2);
  });

  it('an answer that comes twice ends the connection, not the process', async () => {
    const client = await connected();
    proxy.tamper = repeat;
    expect(await echoed(client, 1)).toBe(1);
    proxy.tamper = undefined;
    await lost(client);
    await client.whenConnected(PATIENCE_MS);
    expect(await echoed(client, 2)).toBe(2);
  });

  it('a malformed body fails its own call only', async () => {
    const client = await connected();
    const other = client.call('slow', args(0.1));
    await echoed(client, 1);
    proxy.tamper = (chunk) => {
      proxy.tamper = undefined;
      const broken = Buffer.from(chunk);
      broken[broken.length - 1] = 0xdf; // the echoed number becomes a map whose size is missing
      return [broken];
    };
    await expect(echoed(client, 2)).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    expect(await other).toBeInstanceOf(MsgpackReader);
    expect(proxy.acceptedAt).toHaveLength(1);
  });
});

describe('TarantoolClient: connecting', () => {
  it('takes a greeting that is split at any byte', async () => {
    for (let at = 1; at < 128; at++) {
      proxy.tamper = splitAt(at);
      const client = await connected();
      expect(await echoed(client, at)).toBe(at);
      await client.close();
    }
    expect(proxy.acceptedAt).toHaveLength(127);
  });

  // Holds message.wrong-password.
  it('does not hammer the server with a wrong password, and says what is wrong once', async () => {
    const states: unknown[] = [];
    const client = connecting({ password: 'wrong', onStateChange: (_, cause) => states.push(cause) });
    await expect.poll(() => proxy.acceptedAt).toHaveLength(6);
    const gaps = proxy.acceptedAt.slice(1).map((at, i) => at - (proxy.acceptedAt[i] ?? 0));
    // 50, 100, 200, 400, 500 ms, less the inaccuracy of timers
    for (const [i, atLeast] of [45, 95, 195, 395, 495].entries()) expect(gaps[i]).toBeGreaterThan(atLeast);
    expect(client.isConnected).toBe(false);
    expect(states).toEqual([expect.any(TarantoolServerError)]);
    expect(states[0]).toMatchObject({
      code: 47,
      // The second is what Tarantool 3 says.
      message: expect.stringMatching(
        /Incorrect password supplied|User not found or supplied credentials are invalid/,
      ) as unknown,
    });
  });

  it('recovers within a second from a restart, however long the server was away', async () => {
    const client = await connected();
    await tarantool.kill('SIGKILL');
    await expect.poll(() => proxy.acceptedAt.length).toBeGreaterThan(5);
    await tarantool.restart();
    await client.whenConnected(SECOND);
    expect(await echoed(client, 1)).toBe(1);
  });

  it('recovers within a second from a network that let nothing through', async () => {
    const client = await connected();
    proxy.freeze();
    await expect(client.call('echo', args(1))).rejects.toBeInstanceOf(TarantoolOutcomeUnknownError);
    await lost(client);
    proxy.thaw();
    await client.whenConnected(SECOND);
    expect(await echoed(client, 2)).toBe(2);
  });

  it('gives up waiting, not trying', async () => {
    const client = connecting({ port: 1 });
    await expect(client.whenConnected(20)).rejects.toBeInstanceOf(TarantoolNotSentError);
    await client.close();
    await expect(client.whenConnected(20)).rejects.toBeInstanceOf(TarantoolNotSentError);
  });

  it('refuses to be without a password, which the driver would take for the guest', () => {
    expect(() => connecting({ password: '' })).toThrow(TypeError);
  });
});

/** One member each, because a Lua table does not keep the order of more. */
function mapOf(key: string, value: Buffer | string | true): Buffer {
  const writer = new MsgpackWriter().mapHeader(1).string(key);
  if (value === true) writer.boolean(true);
  else if (typeof value === 'string') writer.string(value);
  else writer.raw(value);
  return writer.bytes();
}
