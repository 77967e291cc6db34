import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const MAX_BODY_BYTES = 10_000;

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({ MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
});
afterAll(() => service.stop());

const { api } = client(() => service.url);

/** Sends bytes as they are, and reads until the server closes. */
async function raw(bytes: string): Promise<string> {
  const { port } = new URL(service.url);
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  socket.write(bytes);
  await once(socket, 'close');
  return answer;
}

describe('an unknown path', () => {
  // Holds entry.no-slash-at-end, status.404-path.
  it.each([
    '/',
    '/nothing',
    '/kv/a/b',
    '/KV/state',
    '/health',
    '/nothing/%zz',
    '/kv/',
    '/kv/state/',
    '/health/live/',
  ])('%s answers 404', async (path) => {
    await api().get(path).expect(404, '{"message":"not found","status":404}');
  });
});

describe('a wrong method', () => {
  // Holds status.405.
  it.each([
    ['patch', '/kv', 'DELETE, GET, HEAD, POST'],
    ['put', '/kv', 'DELETE, GET, HEAD, POST'],
    ['post', '/kv/state', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['options', '/kv/state', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['get', '/batch', 'POST'],
    ['get', '/kv/a/touch', 'POST'],
    ['post', '/health/live', 'GET, HEAD'],
  ] as const)('%s %s answers 405 with Allow: %s', async (method, path, allow) => {
    const { headers } = await api()
      [method](path)
      .expect(405, '{"message":"method not allowed","status":405}');
    expect(headers['allow']).toBe(allow);
  });
});

describe('a body that is too large', () => {
  const large = JSON.stringify({ key: 'large', value: { a: 'x'.repeat(MAX_BODY_BYTES) } });

  // Holds body.size.
  it('is refused with 413 by its declared size, before it is sent', async () => {
    const answer = await raw(
      `POST /kv HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer.endsWith('\r\n\r\n{"message":"request body too large","status":413}')).toBe(true);
  });

  // Holds body.size.
  it('is refused with 413 when it was declared and sent', async () => {
    await api().post('/kv').set('Content-Type', 'application/json').send(large).expect(413, answers.tooLarge);
  });

  // Holds body.size.
  it('is refused with 413 when its size was not declared', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from(large));
        controller.close();
      },
    });
    const answer = await fetch(`${service.url}/kv`, { method: 'POST', body, duplex: 'half' } as RequestInit);
    expect([answer.status, await answer.json()]).toEqual([413, answers.tooLarge]);
  });

  // Holds body.size, setting.max-body-bytes, limit.body.
  it.each([
    ['post', '/batch', (value: object) => ({ operations: [{ op: 'upsert', key: 'large', value }] })],
    ['post', '/txn', (value: object) => ({ success: [{ op: 'upsert', key: 'large', value }] })],
    ['put', '/kv/state', (value: object) => ({ value })],
  ] as const)('is refused with 413 as a whole: %s %s', async (method, path, body) => {
    const room = MAX_BODY_BYTES - JSON.stringify(body({ a: '' })).length;
    const send = (length: number) =>
      api()
        [method](path)
        .send(body({ a: 'x'.repeat(length) }));
    await send(room + 1).expect(413, answers.tooLarge);
    await send(room).expect(200);
  });

  // Holds body.size, limit.body.
  it('may be as large as the limit', async () => {
    const frame = JSON.stringify({ key: 'largest', value: { a: '' } }).length;
    const value = { a: 'x'.repeat(MAX_BODY_BYTES - frame) };
    await api().post('/kv').send({ key: 'largest', value }).expect(200, answers.inserted);
    await api().get('/kv/largest').expect(200, { value });
  });

  // Holds caller.4xx.
  it('is refused with 413 as well where the store was started with a smaller limit', async () => {
    const { config } = service;
    const app = await startInstance({ ...config, limits: { ...config.limits, maxBodyBytes: 1_048_576 } });
    const url = await app.getUrl();
    await client(() => url)
      .api()
      .put('/kv/state')
      .send({ value: { a: 'x'.repeat(100_000) } })
      .expect(413, answers.tooLarge);
    await app.close();
  });
});

describe('a media type', () => {
  const post = (type: string) => api().post('/kv').set('Content-Type', type);

  // Holds body.media-type.
  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'application/jsonp',
    'nonsense',
  ])('%s answers 415', async (type) => {
    await post(type)
      .send('{"key":"k","value":{}}')
      .expect(415, '{"message":"unsupported media type","status":415}');
  });

  // Holds body.charset, body.no-coding.
  it('answers 415 to another charset, and to a compressed body', async () => {
    await post('application/json; charset=latin1').send('{}').expect(415, answers.unsupportedMediaType);
    const { headers } = await post('application/json')
      .set('Content-Encoding', 'gzip')
      .send('{}')
      .expect(415, answers.unsupportedMediaType);
    expect(headers['accept-encoding']).toBe('identity');
  });

  // Holds body.media-type, body.charset.
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/vnd.api+json',
    'application/json; odata.metadata=minimal',
    'application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted"',
    'Application/JSON',
  ])('%s is JSON', async (type) => {
    await post(type).send('{"key":1}').expect(400, answers.invalidBody);
  });

  // Holds body.media-type.
  it('counts as JSON when it is missing', async () => {
    const body = '{"key":"no-type","value":{}}';
    const answer = await raw(
      `POST /kv HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer.endsWith('{"message":"inserted","status":200}')).toBe(true);
  });
});

describe('what is no HTTP', () => {
  // Holds connection.431, limit.header.
  it.each([
    ['nonsense', 'NONSENSE\r\n\r\n', 400, answers.malformed],
    ['a space in the path', 'GET /kv/a b HTTP/1.1\r\nHost: a\r\n\r\n', 400, answers.malformed],
    [
      'two lengths',
      'POST /kv HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      400,
      answers.malformed,
    ],
    [
      'headers that are too large',
      `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      answers.headersTooLarge,
    ],
    [
      'bytes beyond ASCII in the path',
      'GET /kv/\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n',
      400,
      answers.malformed,
    ],
    ['no Host', 'GET /kv/state HTTP/1.1\r\nConnection: close\r\n\r\n', 400, answers.malformed],
  ])('%s is answered in the envelope', async (_what, bytes, status, body) => {
    const answer = await raw(bytes);
    const [head, text] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toMatch(/content-type: application\/json; charset=utf-8/i);
    expect(head).toMatch(/x-request-id: \S+/i);
    expect(JSON.parse(text ?? '')).toEqual(body);
  });

  it('is not an expectation that the service does not know: it is ignored', async () => {
    const answer = await raw(
      'GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: the-unexpected\r\n\r\n',
    );
    expect(answer.endsWith('{"message":"live","status":200}')).toBe(true);
  });
});

describe('every answer', () => {
  const paths = ['/kv/state', '/kv/missing', '/kv/%zz', '/nothing', '/health/live', '/health/ready'];

  // Holds answer.utf8, answer.fields.
  it.each(paths)('%s is JSON in UTF-8 that is not to be sniffed', async (path) => {
    const { headers } = await api().get(path);
    expect(headers).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
    });
  });

  // Holds answer.fields.
  it("has the client's own request id where it is a sane one", async () => {
    for (const path of paths) {
      const { headers } = await api().get(path).set('X-Request-Id', 'trace-1234:5');
      expect(headers['x-request-id']).toBe('trace-1234:5');
    }
  });

  // Holds answer.fields.
  it('has a new request id otherwise', async () => {
    const ids = await Promise.all(
      ['', 'with space', 'x'.repeat(129), '"'].map(async (id) => {
        const { headers } = await api().get('/kv/state').set('X-Request-Id', id);
        expect(headers['x-request-id']).toMatch(/^[\w-]+$/);
        expect(headers['x-request-id']).not.toBe(id);
        return headers['x-request-id'];
      }),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('health', () => {
  // Holds health.live, health.ready.
  it('is live, and ready', async () => {
    await api().get('/health/live').expect(200, { message: 'live', status: 200 });
    await api().get('/health/ready').expect(200, { message: 'ready', status: 200 });
  });
});
