import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { event, EventStream } from './event-stream.js';

/** Longer than a busy machine keeps a client from reading. */
const STALL_MS = 500;

let server: Server;
let client: Socket;
let stream: EventStream;
let sent: number[];

beforeEach(async () => {
  sent = [];
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
  stream = new EventStream(response, { 'x-request-id': 'one' }, (bytes) => sent.push(bytes), STALL_MS);
});
afterEach(() => {
  client.destroy();
  server.close();
});

const large = event('data', `["${'é'.repeat(1 << 20)}"]`, '1');

// Holds changes.slow-reader.
it('ends the connection of a client that reads nothing', async () => {
  client.pause();
  for (let i = 0; i < 100 && !stream.isOver; i++) await stream.send(large);
  expect(stream.isOver).toBe(true);
});

it('goes on for a client that reads, and tells the bytes of each event', async () => {
  client.resume();
  for (let i = 0; i < 20; i++) await stream.send(large);
  expect(stream.isOver).toBe(false);
  expect(sent).toEqual(Array(20).fill(Buffer.byteLength(large)));
});

it('sends an event as it stands in the protocol, and nothing after its end', async () => {
  let text = '';
  client.on('data', (bytes: Buffer) => (text += bytes.toString()));
  await stream.send(event('data', '[]', '7'));
  stream.end(event('control', '{}'));
  await once(client, 'close');
  await stream.send(large);
  expect(text.split('\r\n\r\n')[1]).toBe('id: 7\nevent: data\ndata: []\n\nevent: control\ndata: {}\n\n');
  expect(sent).toHaveLength(1);
});
