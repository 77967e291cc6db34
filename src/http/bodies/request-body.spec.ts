import { fastify } from 'fastify';
import type { FastifyInstance } from 'fastify';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientAddresses } from '../connections/client-address.js';
import { deferBodies } from './defer-bodies.js';
import type { RequestBody } from './request-body.js';
import { SharedBudget } from '../shared-budget.js';

const MAX_BYTES = 20_000;
const LENGTH = `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n`;
const CHUNKED = 'PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n';

describe('RequestBody', () => {
  let budget: SharedBudget;
  let app: FastifyInstance;
  let sockets: Socket[];
  /** One body for each request, in the order of the requests. */
  let bodies: Promise<Buffer>[];
  let arrived: () => void;
  /** Waits for the turn of a large body. */
  let take: () => Promise<void>;

  beforeEach(async () => {
    budget = new SharedBudget(100_000);
    bodies = [];
    sockets = [];
    take = () => Promise.resolve();
    app = fastify();
    deferBodies(app, {
      maxBytes: MAX_BYTES,
      budget,
      addresses: new ClientAddresses([]),
      turns: { take: () => take() },
    });
    app.put('/', async (request) => {
      const body = (request.body as RequestBody).read();
      bodies.push(body);
      arrived();
      await body.catch(() => undefined);
      return 'read';
    });
    await app.listen({ host: '127.0.0.1', port: 0 });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await app.close();
  });

  async function send(text: string): Promise<{ body: Promise<Buffer>; socket: Socket }> {
    const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1');
    sockets.push(socket);
    socket.on('error', () => undefined);
    const arrival = new Promise<void>((resolve) => (arrived = resolve));
    socket.write(text);
    await arrival;
    const body = bodies.at(-1);
    if (!body) throw new Error('no request came');
    body.catch(() => undefined);
    return { body, socket };
  }

  it('holds a large body until it may be parsed, and refuses more than may be held', async () => {
    const waiting: (() => void)[] = [];
    take = () => new Promise((begin) => waiting.push(begin));
    const large = `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 20000\r\n\r\n${'x'.repeat(20_000)}`;
    const first = await send(large);
    const second = await send(large);
    await expect.poll(() => waiting.length).toBe(2);
    expect(budget.held).toBe(40_000);
    // One client may hold no more than it leaves to all others.
    const third = await send(large);
    await expect(third.body).rejects.toMatchObject({ code: 'TOO_BUSY' });
    for (const begin of waiting) begin();
    expect([(await first.body).length, (await second.body).length]).toEqual([20_000, 20_000]);
    expect(budget.held).toBe(0);
  });

  it('reads a body that comes in pieces', async () => {
    const { body } = await send(`${CHUNKED}3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n`);
    expect(String(await body)).toBe('{"a":1}');
  });

  it('reads a body in chunks of one byte, in twice its memory', async () => {
    const text = JSON.stringify({ a: 'x'.repeat(9990) });
    const chunks = text.replaceAll(/./g, '1\r\n$&\r\n');
    const { body, socket } = await send(`${CHUNKED}${chunks}`);
    await expect.poll(() => budget.held).toBeGreaterThanOrEqual(text.length);
    expect(budget.held).toBeLessThanOrEqual(2 * text.length);
    socket.write('0\r\n\r\n');
    expect(String(await body)).toBe(text);
    expect(budget.held).toBe(0);
  });

  it('holds what has come and not what is declared', async () => {
    const { body, socket } = await send(`${LENGTH}${'x'.repeat(100)}`);
    await expect.poll(() => budget.held).toBe(100);
    socket.write('x');
    await expect.poll(() => budget.held).toBe(4096);
    socket.write('x'.repeat(9899));
    expect(await body).toHaveLength(10_000);
    expect(budget.held).toBe(0);
  });

  it.each([
    ['declared', `${LENGTH}{"a"`],
    ['in chunks', `${CHUNKED}4\r\n{"a"\r\n`],
  ])('holds nothing of a body, %s, whose client goes away in the middle', async (_how, text) => {
    const { body, socket } = await send(text);
    await expect.poll(() => budget.held).toBe(4);
    socket.destroy();
    await expect(body).rejects.toMatchObject({ name: 'HttpError', code: 'MALFORMED_REQUEST' });
    expect(budget.held).toBe(0);
  });

  it('refuses a body that is larger than it may be, and holds nothing of it', async () => {
    const chunk = `${MAX_BYTES.toString(16)}\r\n${'x'.repeat(MAX_BYTES)}\r\n`;
    const { body } = await send(`${CHUNKED}${chunk}1\r\nx\r\n0\r\n\r\n`);
    await expect(body).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    expect(budget.held).toBe(0);
  });

  it('refuses a body when its client holds more than it leaves to others', async () => {
    const unfinished = [];
    for (let n = 0; n < 5; n++) unfinished.push(await send(LENGTH));
    for (const { socket } of unfinished) socket.write('x'.repeat(9999));
    await expect.poll(() => budget.held).toBe(49_995);
    const { body, socket } = await send(LENGTH);
    socket.write('x'.repeat(9999));
    await expect(body).rejects.toMatchObject({ code: 'TOO_BUSY' });
    expect(budget.held).toBe(49_995);
    for (const each of unfinished) each.socket.write('x');
    for (const each of unfinished) expect(await each.body).toHaveLength(10_000);
    expect(budget.held).toBe(0);
  });

  it('holds nothing of a body that comes whole, however little is left', async () => {
    budget.take('somebody', 49_999);
    const { body } = await send(`${LENGTH}${'x'.repeat(10_000)}`);
    expect(await body).toHaveLength(10_000);
  });
});
