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
import { SharedBudget } from '../shared-budget.js';
import { Turns } from '../turns.js';
import { WrittenAnswers } from './written-answers.js';

const MAX_TOGETHER = 16;
const MAX_HELD_BYTES = 200_000;

let connections: Connections;
let server: Server;
let client: Socket;
let received: string;
/** Requests that have begun and are not answered yet. */
let begun: ServerResponse[];
let budget: SharedBudget;
let turnsTaken: number;
/** No turn begins before this. */
let gate: Promise<void>;

beforeEach(async () => {
  begun = [];
  received = '';
  const log = pino({ level: 'silent' });
  const written = new WrittenAnswers([]);
  const limit = new ConnectionLimit(10, written, log);
  budget = new SharedBudget(MAX_HELD_BYTES);
  turnsTaken = 0;
  gate = Promise.resolve();
  const turns = new Turns();
  const take = async (of: string): Promise<void> => {
    turnsTaken++;
    await gate;
    await turns.take(of);
  };
  connections = new Connections(limit, new ClientAddresses([]), written, { turns: { take }, budget });
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
const all40 = (): string[] => Array.from({ length: 40 }, (_, n) => get(n));
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

/** Where pacing begins: what came before was parsed at once. */
const FIRST_CHUNK = message('PUT /1', undefined, 'Transfer-Encoding: chunked\r\n');
const CHUNKS = 8000;

// Holds limit.dense-input.
describe('what a client sends in many small parts', () => {
  it('is parsed in slices, each in a turn of its own', async () => {
    client.write(FIRST_CHUNK);
    await expect.poll(urls).toEqual(['/1']);
    const { req } = begun[0] ?? {};
    const inTurn: number[] = [];
    req?.on('data', () => (inTurn[turnsTaken] = (inTurn[turnsTaken] ?? 0) + 1));
    const ended = once(req ?? client, 'end');
    client.write(`${'1\r\nx\r\n'.repeat(CHUNKS)}0\r\n\r\n`);
    await ended;
    expect(inTurn.reduce((sum, count) => sum + count, 0)).toBe(CHUNKS);
    expect(Math.max(...inTurn.filter(Boolean))).toBeLessThan(CHUNKS / 2);
    answerAll();
    await expect.poll(() => answersIn(received).length).toBe(1);
    expect(budget.held).toBe(0);
  });

  it('keeps the order of requests and bodies, wherever a slice ends', async () => {
    client.write(`${FIRST_CHUNK}0\r\n\r\n`);
    await expect.poll(urls).toEqual(['/1']);
    answerAll();
    const bodies: string[] = [];
    const all = Array.from({ length: 300 }, (_, n) => `/${n + 2}`);
    const sent = all.map((url, n) =>
      n % 3 === 0
        ? `PUT ${url} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n`
        : message(`PUT ${url}`, 'abc'),
    );
    client.write(sent.join(''));
    while (answersIn(received).length <= all.length) {
      for (const response of begun.splice(0)) {
        response.req.setEncoding('utf8');
        const body = ((await response.req.toArray()) as string[]).join('');
        bodies.push(body);
        response.end(response.req.url);
      }
      await new Promise(setImmediate);
    }
    expect(answersIn(received).map(({ body }) => body)).toEqual(['/1', ...all]);
    expect(new Set(bodies)).toEqual(new Set(['abc']));
    expect(budget.held).toBe(0);
  });

  it('is all read, though its client says at once that nothing more will come', async () => {
    const all = Array.from({ length: 6000 }, (_, n) => `/${n}`);
    const closed = once(client, 'close');
    client.end(all.map((url) => message(`GET ${url}`)).join(''));
    const answer = setInterval(answerAll);
    await closed;
    clearInterval(answer);
    expect(answersIn(received).map(({ body }) => body)).toEqual(all);
  });

  it('is paced on all later connections of this client', async () => {
    client.write(all40().join(''));
    await expect.poll(() => begun.length).toBe(MAX_TOGETHER);
    client.destroy();
    begun = [];
    turnsTaken = 0;
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.write(all40().join(''));
    await expect.poll(() => begun.length).toBe(MAX_TOGETHER);
    expect(turnsTaken).toBeGreaterThan(0);
  });

  it('waits for no turn where it is one request', async () => {
    for (const n of [1, 2, 3]) {
      client.write(get(n));
      await expect.poll(urls).toEqual([`/${n}`]);
      answerAll();
    }
    expect(turnsTaken).toBe(0);
  });

  // Holds limit.dense-input-held.
  it('is refused where its client holds more of it than it leaves to others', async () => {
    budget.take('127.0.0.1', MAX_HELD_BYTES / 2);
    client.write(FIRST_CHUNK);
    await expect.poll(urls).toEqual(['/1']);
    begun[0]?.req.on('error', ({ message: text }) =>
      begun[0]?.writeHead(503, { 'Content-Length': text.length }).end(text),
    );
    client.write('1\r\nx\r\n'.repeat(CHUNKS));
    await once(client, 'end');
    expect(answersIn(received).map(({ status }) => status)).toEqual([503]);
    expect(budget.held).toBe(MAX_HELD_BYTES / 2);
  });

  it('is forgotten when the client goes away', async () => {
    client.write(FIRST_CHUNK);
    await expect.poll(urls).toEqual(['/1']);
    let open = (): void => {};
    gate = new Promise((resolve) => (open = resolve));
    client.write('1\r\nx\r\n'.repeat(CHUNKS));
    await expect.poll(() => budget.held).toBeGreaterThan(0);
    client.resetAndDestroy();
    open();
    await expect.poll(() => budget.held).toBe(0);
  });

  it('is not parsed behind bytes that are no request', async () => {
    client.write(`${FIRST_CHUNK}0\r\n\r\n`);
    await expect.poll(urls).toEqual(['/1']);
    answerAll();
    client.write(`${get(2)}garbage\r\n\r\n${all40().join('').repeat(20)}`);
    await expect.poll(urls).toEqual(['/2']);
    answerAll();
    await once(client, 'end');
    expect(answersIn(received).map(({ status }) => status)).toEqual([200, 200, 400]);
    expect(begun).toEqual([]);
    expect(budget.held).toBe(0);
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
