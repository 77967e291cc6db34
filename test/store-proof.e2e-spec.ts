import { afterEach, describe, expect, it, vi } from 'vitest';
import { TarantoolNotSentError, TarantoolUnprovenError } from '../src/tarantool/tarantool-client.errors.js';
import { TarantoolClient, type TarantoolClientOptions } from '../src/tarantool/tarantool-client.js';
import { answers } from './support/answers.js';
import { failed, Impostor, returned } from './support/impostor.js';
import { isAlive, ServiceProcess } from './support/service-process.js';
import { TARANTOOL_PASSWORD, TARANTOOL_USER, TarantoolProcess } from './support/tarantool-process.js';

const NOT_PROVEN = 'the server has not proven that it is our store: does something else listen there?';
const NO_FUNCTION =
  'the server has no function kv.prove: was it started with the kv.lua of an older version?';
const EMPTY_ARGUMENTS = Buffer.of(0x90);

const toEnd: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of toEnd.splice(0).toReversed()) await end();
});

function connect(options: Partial<TarantoolClientOptions>): { client: TarantoolClient; causes: Error[] } {
  const causes: Error[] = [];
  const client = new TarantoolClient({
    host: '127.0.0.1',
    user: TARANTOOL_USER,
    password: TARANTOOL_PASSWORD,
    timeoutMs: 5000,
    onStateChange: (_, cause) => cause && causes.push(cause),
    ...options,
  });
  toEnd.push(() => client.close());
  client.connect();
  return { client, causes };
}

async function impostor(...args: Parameters<typeof Impostor.start>): Promise<Impostor> {
  const started = await Impostor.start(...args);
  toEnd.push(() => started.stop());
  return started;
}

describe('a server that has logged the client in', () => {
  it.each([
    ['sends nonsense for a proof', returned('proof'), NOT_PROVEN],
    ['sends a proof of the right length', returned('0'.repeat(64)), NOT_PROVEN],
    ['sends nothing for a proof', returned(''), NOT_PROVEN],
    ['fails', failed(32, 'some error'), NOT_PROVEN],
    ['does not know the function', failed(33, "Procedure 'kv.prove' is not defined"), NO_FUNCTION],
  ])('and %s is not called, and loses the connection', async (_, answer, message) => {
    const { port } = await impostor(answer);
    const { client, causes } = connect({ port });
    await expect.poll(() => causes).toHaveLength(1);
    expect(causes[0]).toBeInstanceOf(TarantoolUnprovenError);
    expect(causes[0]?.message).toBe(message);
    await expect(client.call('kv.get', EMPTY_ARGUMENTS)).rejects.toBeInstanceOf(TarantoolNotSentError);
  });

  it('and repeats the proof of an earlier connection is not called', async () => {
    const store = await TarantoolProcess.start('');
    toEnd.push(() => store.stop());
    const { client } = connect({ path: store.path });
    await client.whenConnected(5000);
    const nonce = Buffer.concat([Buffer.of(0x91, 0xa1), Buffer.from('n')]);
    const proof = await client.call('kv.prove', nonce);
    proof.arrayHeader();
    const { port } = await impostor(returned(proof.string()));
    const { causes } = connect({ port });
    await expect.poll(() => causes.map((cause) => cause.message)).toEqual([NOT_PROVEN]);
  });

  // Holds message.older-store.
  it('and was started with an older kv.lua is named as such', async () => {
    const store = await TarantoolProcess.start(`box.schema.func.drop('kv.prove')`);
    toEnd.push(() => store.stop());
    const { causes } = connect({ path: store.path });
    await expect.poll(() => causes.map((cause) => cause.message)).toEqual([NO_FUNCTION]);
  });
});

describe("a program that takes the embedded store's port while that is away", () => {
  // Holds message.other-store.
  it('is sent no value, and the service goes on when the store is back', async () => {
    const service = await ServiceProcess.start();
    toEnd.push(() => service.remove());
    // A first process that is held up cannot start another store before the other program is there.
    const { pid, tarantoolPid } = service;
    process.kill(pid, 'SIGSTOP');
    toEnd.push(async () => void process.kill(pid, 'SIGCONT'));
    process.kill(tarantoolPid, 'SIGKILL');
    await expect.poll(() => isAlive(tarantoolPid)).toBe(false);
    const port = Number(service.environment['TARANTOOL_PORT']);
    // A worker that tries to connect may hold the port for a moment.
    const other = await vi.waitFor(() => impostor(returned('0'.repeat(64)), port), { timeout: 10_000 });
    await expect.poll(() => other.calls).toBeGreaterThanOrEqual(service.workerPids.length);

    const put = () =>
      fetch(`${service.url}/kv/state`, { method: 'PUT', body: Buffer.from('{"value":{"a":"secret"}}') });
    const answer = await put();
    expect([answer.status, await answer.json()]).toEqual([503, answers.unavailable]);
    expect(other.received.toString('latin1')).toMatch(/kv\.prove/);
    expect(other.received.toString('latin1')).not.toMatch(/secret|state|throttle|health/);

    await other.stop();
    toEnd.pop();
    process.kill(pid, 'SIGCONT');
    await expect.poll(async () => (await put()).status, { timeout: 10_000 }).toBe(200);
    const reasons = service.log.filter(({ msg }) => msg === 'no connection to Tarantool');
    expect(reasons).toContainEqual(expect.objectContaining({ reason: NOT_PROVEN }));
  });
});
