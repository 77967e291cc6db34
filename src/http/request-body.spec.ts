import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJsonBody } from './request-body.js';

const MAX_BYTES = 1000;

describe('readJsonBody', () => {
  let server: Server;

  beforeEach(async () => {
    server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  afterEach(() => server.close());

  async function send(text: string): Promise<[IncomingMessage, () => void]> {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(text);
    const [request] = (await once(server, 'request')) as [IncomingMessage, ServerResponse];
    return [request, () => socket.destroy()];
  }

  it('resolves with a body that came in pieces', async () => {
    const [request, disconnect] = await send(
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n',
    );
    expect(String(await readJsonBody(request, MAX_BYTES))).toBe('{"a":1}');
    disconnect();
  });

  it('rejects when the client goes away in the middle', async () => {
    const [request, disconnect] = await send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"a"');
    const body = readJsonBody(request, MAX_BYTES);
    disconnect();
    await expect(body).rejects.toMatchObject({ name: 'HttpError', code: 'MALFORMED_REQUEST' });
  });

  it('rejects a body that is larger than it may be, however it is sent', async () => {
    const chunk = `3e8\r\n${'x'.repeat(MAX_BYTES)}\r\n`;
    const [request, disconnect] = await send(
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}0\r\n\r\n`,
    );
    await expect(readJsonBody(request, MAX_BYTES)).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
    disconnect();
  });
});
