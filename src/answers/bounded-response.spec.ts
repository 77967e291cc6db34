import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ClientAddresses } from '../http/connections/client-address.js';
import { AnswerBudget } from './answer-budget.js';
import { boundedResponse } from './bounded-response.js';
import type { Pace } from './bounded-response.js';

const MIB = 1024 * 1024;
/** More than the buffers of two sockets hold for a client that does not read. */
const LARGE = Buffer.alloc(32 * MIB);
const addresses = new ClientAddresses([]);

describe('an answer that its client does not take', () => {
  let server: Server | undefined;
  let client: Socket | undefined;
  afterEach(() => {
    client?.destroy();
    server?.close();
  });

  async function ask(budget: AnswerBudget, pace: Pace): Promise<Socket> {
    server = createServer(
      { ServerResponse: boundedResponse({ budget, addresses }, pace) },
      (_request, response) => {
        response.setHeader('Content-Length', LARGE.length).end(LARGE);
      },
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    return client;
  }

  // Holds limit.answer-reading.
  it('is counted, and ended with its connection when nothing of it is taken for a while', async () => {
    const budget = new AnswerBudget(128 * MIB);
    await ask(budget, { stallMs: 200, bytesPerMs: 1 });
    await vi.waitFor(() => expect(budget.used).toBe(LARGE.length));
    await vi.waitFor(() => expect(budget.used).toBe(0), 5000);
  });

  // Holds limit.answer-reading.
  it('is ended when it is taken too slowly, however regularly', async () => {
    const budget = new AnswerBudget(128 * MIB);
    const socket = await ask(budget, { stallMs: 300, bytesPerMs: 1e9 });
    const sips = setInterval(() => socket.read(), 10);
    await once(socket, 'close');
    clearInterval(sips);
    expect(socket.bytesRead).toBeLessThan(LARGE.length);
    expect(budget.used).toBe(0);
  });

  it('is ended at once where the client holds its share already', async () => {
    const budget = new AnswerBudget(60 * MIB);
    const socket = await ask(budget, { stallMs: 60_000, bytesPerMs: 1 });
    socket.resume();
    await once(socket, 'close');
    expect(socket.bytesRead).toBeLessThan(LARGE.length);
    expect(budget.used).toBe(0);
  });

  it('gives its bytes back when it has left', async () => {
    const budget = new AnswerBudget(128 * MIB);
    const socket = await ask(budget, { stallMs: 60_000, bytesPerMs: 1 });
    await vi.waitFor(() => expect(budget.used).toBe(LARGE.length));
    socket.resume();
    await vi.waitFor(() => expect(budget.used).toBe(0), 5000);
    expect(socket.bytesRead).toBeGreaterThan(LARGE.length / 2);
    expect(socket.destroyed).toBe(false);
  });
});
