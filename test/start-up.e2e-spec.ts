import { once } from 'node:events';
import { constants, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { isAlive, ServiceProcess } from './support/service-process.js';

const services: ServiceProcess[] = [];
afterEach(() => Promise.all(services.splice(0).map((service) => service.remove())));

async function create(environment: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = await ServiceProcess.create(environment);
  services.push(service);
  return service;
}

async function start(environment: Record<string, string> = {}): Promise<ServiceProcess> {
  const service = await create(environment);
  await service.start();
  return service;
}

/** A request that a worker has begun to serve, and whose body is not complete. */
async function unfinishedPost({ url }: ServiceProcess, start: string): Promise<ClientRequest> {
  const post = request(`${url}/kv`, { method: 'POST', headers: { Expect: '100-continue' } });
  post.on('error', () => {});
  post.flushHeaders();
  await once(post, 'continue');
  post.write(start);
  return post;
}

/** Whether the embedded Tarantool has its write-ahead log open with O_SYNC (open(2)). */
function isLogSynchronous({ tarantoolPid }: ServiceProcess): boolean {
  const folder = `/proc/${tarantoolPid}`;
  const log = readdirSync(`${folder}/fd`).find((fd) => readlinkSync(`${folder}/fd/${fd}`).endsWith('.xlog'));
  const [, flags = ''] = /^flags:\s+(\d+)$/m.exec(readFileSync(`${folder}/fdinfo/${log}`, 'utf8')) ?? [];
  return (parseInt(flags, 8) & constants.O_SYNC) === constants.O_SYNC;
}

describe('starting', () => {
  let service: ServiceProcess;
  beforeAll(async () => {
    service = await ServiceProcess.start();
  });
  afterAll(() => service?.remove());

  // Holds setting.host, setting.workers.
  it('says where it listens, which Tarantool, how many workers, and which limits', async () => {
    expect(service.log.find(({ msg }) => msg.startsWith('listening'))).toMatchObject({
      msg: `listening on http://127.0.0.1:${service.port}`,
      store: 'embedded',
      workers: 2,
      limits: { maxKeyBytes: 512, maxBodyBytes: 1_048_576, maxDepth: 64 },
      throttle: { limit: 0, windowMs: 1000 },
    });
    expect(await service.probe('ready')).toBe(200);
  });

  it('takes requests when each worker has its connection to the store, and not before', async () => {
    const times = (start: string): number[] =>
      service.log.filter(({ msg }) => msg.startsWith(start)).map(({ time }) => Number(time));
    await expect.poll(() => times('connected to Tarantool')).toHaveLength(2);
    expect(times('listening on')[0]).toBeGreaterThanOrEqual(Math.max(...times('connected to Tarantool')));
  });

  // Holds setting.host, setting.port.
  it('names the port that it got, and an IPv6 address as it stands in a URL', async () => {
    const other = await start({ HOST: '::1', PORT: '0' });
    const [, url] = /^listening on (http:\/\/\[::1\]:[1-9]\d+)$/.exec(other.log.at(-1)?.msg ?? '') ?? [];
    expect(url).toBeDefined();
    const answered = await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/health/live`)));
    expect(new Set(answered.map(({ status }) => status))).toEqual(new Set([200]));
  });

  // Holds log.request-id.
  it('logs one line for each request, and never a value', async () => {
    await fetch(`${service.url}/kv`, {
      method: 'POST',
      body: Buffer.from('{"key":"personal","value":{"a":"secret"}}'),
      headers: { 'X-Request-Id': 'one' },
    });
    await fetch(`${service.url}/kv/personal`, { headers: { 'X-Request-Id': 'two' } });
    const lines = () =>
      service.log.filter(({ msg, route }) => msg === 'request' && String(route).startsWith('/kv'));
    await expect.poll(() => lines().length).toBe(2);
    expect(lines().toSorted((a, b) => String(a['reqId']).localeCompare(String(b['reqId'])))).toMatchObject([
      { level: 30, reqId: 'one', method: 'POST', route: '/kv', status: 200, ms: expect.any(Number) },
      { level: 30, reqId: 'two', method: 'GET', route: '/kv/:key', status: 200, ms: expect.any(Number) },
    ]);
    expect(JSON.stringify(service.log)).not.toMatch(/personal|secret/);
  });

  // Holds setting.tarantool-wal-mode.
  it('has Tarantool open its log so that each write reaches the disk (O_SYNC), unless told to write only', async () => {
    const other = await start({ WORKERS: '1', TARANTOOL_WAL_MODE: 'write' });
    expect([isLogSynchronous(service), isLogSynchronous(other)]).toEqual([true, false]);
  });

  // Holds setting.data-dir.
  it('is refused in one line where the data folder is in use', async () => {
    const { code, stderr } = await (
      await create({ DATA_DIR: service.environment['DATA_DIR'] ?? '' })
    ).runToEnd();
    expect(code).toBe(1);
    expect(stderr).toMatch(/^cannot start: .*(in use|locked).*\n$/);
  });
});

describe('what cannot start', () => {
  it('says so in one line, with exit code 1, when a variable is wrong', async () => {
    const service = await create({ PORT: 'http' });
    expect(await service.runToEnd()).toEqual({
      code: 1,
      stderr: 'cannot start: PORT is "http", but takes a whole number from 0 to 65535\n',
    });
  });

  it.each(['1', '2'])('says so when the port is in use (WORKERS=%s)', async (workers) => {
    const service = await create({ WORKERS: workers });
    const other = createServer().listen(service.port, '127.0.0.1');
    await once(other, 'listening');
    const line = `cannot start: port ${service.port} on 127.0.0.1 is in use: stop what listens there, or set PORT\n`;
    expect(await service.runToEnd()).toEqual({ code: 1, stderr: line });
    other.close();
  });

  it("says so when Tarantool's port is in use", async () => {
    const other = createTcpServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const { code, stderr } = await (await create({ TARANTOOL_PORT: String(port) })).runToEnd();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^cannot start: .*${port}.*in use.*\\n$`));
    other.close();
  });

  it('says so when tarantool is missing', async () => {
    const { code, stderr } = await (await create({ PATH: '/nowhere' })).runToEnd();
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'cannot start: tarantool is not installed, or not on PATH\n',
    });
  });
});

describe('stopping', () => {
  it.each(['1', '2'])('ends at once while WORKERS=%s start', async (workers) => {
    // Long enough to fail by the time that a test may take.
    const service = await create({
      WORKERS: workers,
      SHUTDOWN_TIMEOUT: '600000',
      TARANTOOL_TIMEOUT: '600000',
      TARANTOOL_HOST: '127.0.0.1',
      TARANTOOL_PASSWORD: 'secret',
    });
    service.start().catch(() => {});
    const isStarting = (): boolean => service.log.some(({ msg }) => msg === 'no connection to Tarantool');
    await expect.poll(isStarting).toBe(true);
    const children = service.workerPids;
    expect(await service.signal('SIGTERM')).toBe(0);
    expect(children.filter(isAlive)).toEqual([]);
    expect(service.log.map(({ msg }) => msg)).not.toContainEqual(expect.stringContaining('listening'));
  });

  // Holds setting.data-dir, lost.sigterm.
  it.each([
    ['SIGTERM', '2'],
    ['SIGINT', '1'],
  ] as const)(
    'by %s lets requests in flight finish, leaves no process behind, and loses nothing (WORKERS=%s)',
    async (signal, workers) => {
      const service = await start({ WORKERS: workers });
      const { pids } = service;
      expect(pids).toHaveLength(workers === '2' ? 4 : 2);
      const post = await unfinishedPost(service, '{"key":"half",');
      const answered = once(post, 'response') as Promise<[IncomingMessage]>;
      const ended = service.signal(signal);
      const knock = () =>
        fetch(service.url, { signal: AbortSignal.timeout(500) }).then(String, () => 'refused');
      await expect.poll(knock).toBe('refused');
      post.end('"value":{}}');
      const [answer] = await answered;
      expect(answer.statusCode).toBe(200);
      expect((await answer.toArray()).join('')).toBe('{"message":"inserted","status":200}');
      expect(await ended).toBe(0);
      expect(pids.filter(isAlive)).toEqual([]);
      expect(service.log).toContainEqual(expect.objectContaining({ msg: 'request', method: 'POST' }));
      expect(service.log.at(-1)).toMatchObject({ msg: 'stopped' });

      await service.start();
      expect(await (await fetch(`${service.url}/kv/half`)).text()).toBe('{"value":{}}');
    },
  );

  it('ends at once by a second signal', async () => {
    const service = await start({ SHUTDOWN_TIMEOUT: '600000' });
    const children = [service.tarantoolPid, ...service.workerPids];
    await unfinishedPost(service, '{');
    const ended = service.signal('SIGTERM');
    const stoppingForMs = (): number =>
      Date.now() - Number(service.log.find(({ msg }) => msg === 'stopping')?.['time']);
    // What comes sooner counts as the same.
    await expect.poll(stoppingForMs).toBeGreaterThan(50);
    process.kill(service.pid, 'SIGTERM');
    expect(await ended).toBe(1);
    await expect.poll(() => children.filter(isAlive)).toEqual([]);
  });

  // Holds setting.shutdown-timeout.
  it.each(['1', '2'])('cuts requests off after SHUTDOWN_TIMEOUT (WORKERS=%s)', async (workers) => {
    const service = await start({ WORKERS: workers, SHUTDOWN_TIMEOUT: '100' });
    const post = await unfinishedPost(service, '{');
    expect(await service.signal('SIGTERM')).toBe(0);
    expect(post.destroyed).toBe(true);
    expect(service.log.map(({ msg }) => msg)).toContain(
      'requests were cut off at the end of SHUTDOWN_TIMEOUT',
    );
  });
});
