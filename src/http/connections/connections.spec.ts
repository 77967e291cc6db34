import { once } from 'node:events';
import { ServerResponse } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { answersIn, message } from '../../../test/support/raw.js';
import { ClientAddresses } from './client-address.js';
import { Connection } from './connection.js';
import { ConnectionLimit } from './connection-limit.js';
import { Connections } from './connections.js';
import { WrittenAnswers } from './written-answers.js';

const MAX_TOGETHER = 16;

let connections: Connections;
let server: Server;
let client: Socket;
let received: string;
/** Requests that have begun and are not answered yet. */
let begun: ServerResponse[];

beforeEach(async () => {
  begun = [];
  received = '';
  const log = pino({ level: 'silent' });
  const written = new WrittenAnswers([]);
  const limit = new ConnectionLimit(10, new ClientAddresses([]), written, log);
  connections = new Connections(limit, written);
  server = connections.createServer((_request, response) => void begun.push(response), { ServerResponse });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('data', (data) => (received += data.toString()));
});
afterEach(async () => {
  vi.restoreAllMocks();
  client.destroy();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const get = (n: number): string => message(`GET /${n}`);
const urls = (): (string | undefined)[] => begun.map(({ req }) => req.url);

function answerAll(): void {
  for (const response of begun.splice(0)) response.end(response.req.url);
}

describe('the requests of a connection (RFC 9112 §9.3.2)', () => {
  // Holds connection.sent-together, limit.sent-together.
  it('that are safe are under way together, up to 16', async () => {
    const all = Array.from({ length: 40 }, (_, n) => n);
    client.write(all.map(get).join(''));
    const first = all.slice(0, MAX_TOGETHER).map((n) => `/${n}`);
    await expect.poll(urls).toEqual(first);
    begun.splice(3, 1)[0]?.end('/3');
    // The fourth answer waits for the answers before it, and so does the next request.
    await new Promise(setImmediate);
    expect(urls()).toHaveLength(MAX_TOGETHER - 1);
    while (answersIn(received).length < all.length) {
      answerAll();
      await new Promise(setImmediate);
      expect(begun.length).toBeLessThanOrEqual(MAX_TOGETHER);
    }
    expect(answersIn(received).map(({ body }) => body)).toEqual(all.map((n) => `/${n}`));
  });

  // Holds connection.sent-together.
  it('that are unsafe begin when all before have ended, and alone', async () => {
    client.write(get(1) + get(2) + message('PUT /3', 'x') + message('PUT /4', 'x') + get(5) + get(6));
    for (const together of [['/1', '/2'], ['/3'], ['/4'], ['/5', '/6']]) {
      await expect.poll(urls).toEqual(together);
      answerAll();
    }
    await expect.poll(() => answersIn(received).length).toBe(6);
  });

  it('do not begin when the client has gone', async () => {
    client.write(message('PUT /1', 'x') + message('PUT /2', 'x'));
    await expect.poll(urls).toEqual(['/1']);
    const [first] = begun.splice(0);
    client.resetAndDestroy();
    // Reading is paused, so only writing the answer shows that the connection is gone.
    while (!first?.destroyed) {
      first?.write('x'.repeat(100_000));
      await new Promise(setImmediate);
    }
    await new Promise(setImmediate);
    expect(urls()).toEqual([]);
  });
});

describe('a stop', () => {
  it('is at once where nobody is connected', async () => {
    client.destroy();
    await expect
      .poll(() => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))))
      .toBe(0);
    await connections.drain(60_000);
    expect(server.listening).toBe(false);
    server.listen(0, '127.0.0.1');
  });

  it.each(['before', 'after'])(
    'has all requests answered that come together %s clients are told; the last says so',
    async (when) => {
      const requests = message('PUT /1', 'x') + get(2) + get(3);
      const leaving = vi.spyOn(Connection.prototype, 'leave');
      await once(client, 'connect');
      if (when === 'before') {
        client.write(requests);
        await expect.poll(urls).toEqual(['/1']);
      }
      const drained = connections.drain(1000);
      await expect.poll(() => leaving.mock.calls.length).toBe(1);
      if (when === 'after') client.write(requests);
      await expect.poll(urls).toEqual(['/1']);
      answerAll();
      await expect.poll(urls).toEqual(['/2', '/3']);
      answerAll();
      await drained;
      const told = () => answersIn(received).map(({ body, fields }) => [body, fields['connection']]);
      await expect.poll(told).toEqual([
        ['/1', 'keep-alive'],
        ['/2', 'keep-alive'],
        ['/3', 'close'],
      ]);
      server.listen(0, '127.0.0.1');
    },
  );

  it('closes what is quiet', async () => {
    await once(client, 'connect');
    const closed = once(client, 'close');
    await connections.drain(10);
    await closed;
    expect(received).toBe('');
    server.listen(0, '127.0.0.1');
  });
});
