import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import TarantoolDriver from 'tarantool-driver';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const { version } = createRequire(import.meta.url)('tarantool-driver/package.json') as { version: string };
const GREETING = Buffer.from(
  `${'Tarantool 2.6.0 (Binary)'.padEnd(63)}\n${Buffer.alloc(32, 1).toString('base64').padEnd(63)}\n`,
);

/** The undocumented parts of the driver that we rely on. If an upgrade changes one, a test here fails. */
describe('tarantool-driver, as DriverConnection relies on it', () => {
  let server: Server;
  let driver: TarantoolDriver;
  let accepted: Socket[];
  let retries: number;
  let mayRetry: boolean;

  beforeEach(async () => {
    accepted = [];
    retries = 0;
    mayRetry = true;
    server = createServer((socket) => {
      accepted.push(socket);
      socket.on('error', () => undefined);
      socket.write(GREETING);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    driver = new TarantoolDriver({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
      username: 'user',
      password: 'secret',
      lazyConnect: true,
      enableOfflineQueue: false,
      retryStrategy: () => {
        retries++;
        return mayRetry ? 1 : null;
      },
    });
    driver.on('error', () => undefined);
  });

  afterEach(async () => {
    mayRetry = false;
    driver.disconnect();
    for (const socket of accepted) socket.destroy();
    server.close();
    await once(server, 'close');
  });

  const connect = (): void => void driver.connect().catch(() => undefined);

  it('is the version that was examined', () => {
    expect(version).toBe('3.1.0');
  });

  it('has `connector.connect(callback)`, through which each new socket comes with one `data` listener', async () => {
    const { connector } = driver;
    const createSocket = connector.connect.bind(connector);
    const listeners = new Promise<number | undefined>((resolve) => {
      connector.connect = (callback) =>
        createSocket((error, socket) => {
          callback(error, socket);
          resolve(socket?.listenerCount('data'));
        });
    });
    connect();
    expect(await listeners).toBe(1);
  });

  it('has `commandsQueue` with `shift()` and `clear()`, where the login waits as [opcode, sync, promise]', async () => {
    connect();
    await expect.poll(() => driver.commandsQueue.length).toBe(1);
    expect(driver.commandsQueue.shift()).toEqual([
      7,
      expect.any(Number),
      expect.objectContaining({ resolve: expect.any(Function) as unknown }),
    ]);
    expect(() => driver.commandsQueue.clear()).not.toThrow();
  });

  it('has `_processResponse(packet, offset)`, called once per whole packet behind its length, on the object', async () => {
    const seen = vi.fn();
    driver._processResponse = seen;
    connect();
    await expect.poll(() => driver.commandsQueue.length).toBe(1);
    const packet = Buffer.of(0xce, 0, 0, 0, 2, 0x80, 0x80);
    accepted[0]?.write(packet);
    await expect.poll(() => seen).toHaveBeenCalled();
    expect(seen.mock.calls.map((parameters) => parameters.slice(0, 2))).toEqual([[packet, 5]]);
  });

  it('tries again after a close, as often as `retryStrategy` gives a number, if the login is not rejected', async () => {
    connect();
    await expect.poll(() => driver.commandsQueue.length).toBe(1);
    accepted[0]?.destroy();
    await expect.poll(() => accepted).toHaveLength(2);
    expect(retries).toBe(1);
  });

  it('stops trying on `disconnect()`', async () => {
    connect();
    driver.disconnect();
    await new Promise((resolve) => driver.once('end', resolve));
    expect([accepted.length, retries]).toEqual([0, 0]);
  });
});
