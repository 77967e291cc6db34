import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { firstAnswer } from '../../test/support/raw.js';
import { headFault, isHost } from './request-head.js';

/** Answers each request with its fault. */
let server: Server;
let url: string;
beforeAll(async () => {
  server = createServer({ requireHostHeader: false }, (request, response) => {
    const { code = 'none', headers = {} } = headFault(request) ?? {};
    response.setHeader('Content-Type', JSON.stringify(headers));
    response.setHeader('Content-Length', code.length);
    response.end(code);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** The code of the fault, and whether the connection is closed. */
async function faultOf(head: string): Promise<string> {
  const { body, fields } = await firstAnswer(url, `${head}\r\n\r\n`);
  return fields['content-type'] === '{"Connection":"close"}' ? `${body}, close` : body;
}

const get = (...fields: string[]): string => ['GET / HTTP/1.1', 'Host: a', ...fields].join('\r\n');
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `X-${i}: 1`);

describe('the head of a request', () => {
  it.each([
    get(),
    'GET / HTTP/1.0',
    'GET / HTTP/1.0\r\nHost: a',
    'OPTIONS * HTTP/1.1\r\nHost: a',
    'GET /?a=b HTTP/1.1\r\nHost: ',
    get('X-A: 1', 'X-A: 2'),
    get('Accept: a', 'Accept: b'),
    get('Cookie: a', 'Cookie: b'),
    get('Origin: http://b'),
    get(...many(199)),
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0',
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n0',
  ])('%j has no fault', async (head) => {
    expect(await faultOf(head)).toBe('none');
  });

  it.each([
    ['GET / HTTP/1.1', 'MALFORMED_REQUEST'],
    ['GET / HTTP/1.1\r\nHost: a b', 'MALFORMED_REQUEST'],
    ['GET / HTTP/1.0\r\nHost: a b', 'MALFORMED_REQUEST'],
    ['GET /#a HTTP/1.1\r\nHost: a', 'MALFORMED_REQUEST'],
    ['GET * HTTP/1.1\r\nHost: a', 'MALFORMED_REQUEST'],
    [get('Host: a'), 'MALFORMED_REQUEST'],
    ['GET / HTTP/2.0\r\nHost: a', 'VERSION_NOT_SUPPORTED, close'],
    [get(...many(200)), 'HEADERS_TOO_LARGE, close'],
    ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0', 'MALFORMED_REQUEST, close'],
    ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0', 'NOT_IMPLEMENTED, close'],
  ])('%j is refused: %s', async (head, fault) => {
    expect(await faultOf(head)).toBe(fault);
  });

  it.each([
    'Access-Control-Request-Method',
    'Authorization',
    'Content-Type',
    'If-Modified-Since',
    'If-Range',
    'If-Unmodified-Since',
    'Last-Event-ID',
    'Origin',
    'Sec-Fetch-Site',
  ])('is refused with two lines of %s, and not with one', async (name) => {
    expect(await faultOf(get(`${name}: a`))).toBe('none');
    expect(await faultOf(get(`${name}: a`, `${name}: b`))).toBe('MALFORMED_REQUEST');
  });
});

describe('a host', () => {
  it.each([
    'a',
    'A.example:80',
    'a:',
    '',
    '127.0.0.1:5000',
    '[::1]',
    '[::1]:5000',
    '[v1.a:b]',
    'a_b~c',
    "a!$&'()*+,;=",
    '%41',
  ])('may be %j', (host) => {
    expect(isHost(host)).toBe(true);
    expect(isHost(host)).toBe(true);
  });

  it.each([
    'a b',
    'a/b',
    'a@b',
    'a:b',
    'a:80:80',
    '::1',
    '[::1',
    '[g]',
    '[v1]',
    '%4',
    '%zz',
    'a?',
    'ä',
    ' a',
    'a ',
  ])('may not be %j', (host) => {
    expect(isHost('a')).toBe(true);
    expect(isHost(host)).toBe(false);
    expect(isHost(host)).toBe(false);
  });
});
