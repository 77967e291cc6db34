import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { discardRest } from './discard-rest.js';

const MIB = 1024 * 1024;
const CHECK_MS = 100;

let server: Server;
/** Of the request whose body is not wanted, on the side of the server. */
let socket: Socket;
let client: Socket;

beforeEach(async () => {
  // Only what `discardRest` measures by: the sockets keep their own time.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  server = createServer((request, response) => {
    ({ socket } = request);
    response.writeHead(413, { 'Content-Length': 2 }).end('no', () => discardRest(request, socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
});
afterEach(async () => {
  vi.useRealTimers();
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** Without a look at the clock, which `vi.waitUntil` would move on. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(setImmediate);
}

async function begin(bytes: number): Promise<void> {
  client.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`);
  await once(client, 'data');
  client.resume();
  // The bound begins to count when the answer has been written.
  await until(() => vi.getTimerCount() > 0);
}

/** Sends so much, and resolves when it has come. */
async function send(bytes: number): Promise<void> {
  const before = socket.bytesRead;
  client.write(Buffer.alloc(bytes));
  await until(() => socket.bytesRead >= before + bytes || socket.destroyed);
}

// Holds limit.unwanted-body.
describe('a body that is not wanted', () => {
  it('is read to its end, and the connection lives on', async () => {
    await begin(3 * MIB);
    await send(3 * MIB);
    await until(() => vi.getTimerCount() === 0);
    vi.advanceTimersByTime(60_000);
    expect(socket.destroyed).toBe(false);
  });

  it('is read on for 64 MiB, and then the connection is closed', async () => {
    await begin(200 * MIB);
    await send(64 * MIB);
    vi.advanceTimersByTime(CHECK_MS);
    expect(socket.destroyed).toBe(false);
    await send(1);
    vi.advanceTimersByTime(CHECK_MS);
    expect(socket.destroyed).toBe(true);
  });

  it('is forgotten when its client goes away', async () => {
    await begin(3 * MIB);
    await send(MIB);
    client.resetAndDestroy();
    await until(() => socket.destroyed);
    await until(() => vi.getTimerCount() === 0);
  });

  it('is waited for in silence for 5 s', async () => {
    await begin(1000);
    vi.advanceTimersByTime(5000);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(CHECK_MS);
    expect(socket.destroyed).toBe(true);
  });

  it('is waited for 30 s, however regularly it comes', async () => {
    await begin(1000);
    for (let seconds = 0; seconds < 30; seconds += 3) {
      await send(1);
      vi.advanceTimersByTime(3000);
      expect(socket.destroyed).toBe(false);
    }
    await send(1);
    vi.advanceTimersByTime(CHECK_MS);
    expect(socket.destroyed).toBe(true);
  });
});
