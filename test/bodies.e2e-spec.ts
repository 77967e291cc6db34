import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { answersIn, exchange, message, untilClosed } from './support/raw.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const MAX_BODY_BYTES = 100_000;

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({ MAX_BODY_BYTES: String(MAX_BODY_BYTES), MAX_BODIES_MIB: '1' });
});
afterAll(() => service.stop());

const { api } = client(() => service.url);

/** The first answer to these bytes; the client sends nothing more and keeps the connection open. */
async function firstAnswer(bytes: string, url = service.url): Promise<[number, unknown]> {
  const socket = open(bytes, url);
  let text = '';
  while (!text.endsWith('}')) text += String(((await once(socket, 'data')) as [Buffer])[0]);
  socket.destroy();
  const [answer] = answersIn(text);
  return [answer?.status ?? 0, JSON.parse(answer?.body ?? '')];
}

function open(bytes: string, url = service.url): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(bytes);
  return socket;
}

/** Writes a whole request and reads at the same time, as Go's client does. @returns what was read until the answer was whole. */
async function writeAndRead(head: string, body: Buffer): Promise<string> {
  const socket = open(head);
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  const answered = new Promise<void>((resolve, reject) => {
    socket.on('data', () => text.endsWith('}') && resolve());
    socket.on('close', () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
  });
  const written = new Promise<void>((resolve, reject) => {
    socket.write(body, (error) => (error ? reject(error) : resolve()));
  });
  await Promise.all([answered, written]);
  socket.destroy();
  return text;
}

describe('a body that is too large', () => {
  const declared = (bytes: number): string =>
    `PUT /kv/state HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes}\r\n\r\n`;
  const chunked = (bytes: number): string =>
    `PUT /kv/state HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${bytes.toString(16)}\r\n`;

  // Holds body.read-on.
  it.each([
    ['120 kB, declared', 120_000, declared],
    ['120 kB in a chunk', 120_000, chunked],
    ['3 MB, declared', 3_000_000, declared],
    ['3 MB in a chunk', 3_000_000, chunked],
    ['20 MB, declared', 20_000_000, declared],
    ['20 MB in a chunk', 20_000_000, chunked],
  ])('is refused and read on, so that its client can read why: %s', async (_what, bytes, head) => {
    const body = Buffer.alloc(bytes, 'x');
    const read = await Promise.all(Array.from({ length: 5 }, () => writeAndRead(head(bytes), body)));
    for (const text of read) {
      const all = answersIn(text);
      expect(all).toHaveLength(1);
      expect(all[0]?.fields['connection']).toBe('close');
      expect([all[0]?.status, all[0]?.body]).toEqual([413, JSON.stringify(answers.tooLarge)]);
    }
  });

  it('half-closes a connection whose client waits for more before it sends', async () => {
    const socket = open(declared(1_000_000_000));
    let text = '';
    socket.on('data', (data) => (text += data.toString()));
    await once(socket, 'end');
    expect(answersIn(text)).toMatchObject([{ status: 413, body: JSON.stringify(answers.tooLarge) }]);
  });
});

describe('the order of the checks', () => {
  // Holds status.order-of-checks.
  it('is that of the page: of a request in which all is wrong, the first thing is told', async () => {
    const { config } = service;
    const http = { ...config.http, allowedHosts: ['a'], corsOrigins: ['http://page'] };
    const app = await startInstance({ ...config, http, throttle: { limit: 1, windowMs: 600_000 } });
    const unlimited = await startInstance({ ...config, http });
    const [counting, url] = [await app.getUrl(), await unlimited.getUrl()];
    expect(await firstAnswer(message('GET /kv/missing'), counting)).toEqual([404, answers.keyNotFound]);
    const steps: [unknown[], string, string, string[], string?][] = [
      [[421, answers.misdirected], 'OPTIONS /nothing', 'b', [], counting],
      [[404, answers.notFound], 'PUT /nothing', 'a', [], counting],
      [[405, answers.methodNotAllowed], 'PUT /kv', 'a', [], counting],
      [[403, answers.crossOrigin], 'PUT /kv/%ff', 'a', [], counting],
      [[413, answers.tooLarge], 'PUT /kv/%ff', 'a', ['Sec-Fetch-Site'], counting],
      [
        [429, answers.tooManyRequests],
        'PUT /kv/%ff',
        'a',
        ['Sec-Fetch-Site', 'Content-Length: 1000000000'],
        counting,
      ],
      [
        [415, answers.unsupportedMediaType],
        'PUT /kv/%ff?upsert=x',
        'a',
        ['Sec-Fetch-Site', 'Content-Length: 1000000000'],
      ],
      [
        [400, answers.invalidBody],
        'PUT /kv/%ff?upsert=x',
        'a',
        ['Sec-Fetch-Site', 'Content-Length: 1000000000', 'Content-Type'],
      ],
    ];
    const all = [
      'Sec-Fetch-Site: cross-site',
      'Content-Length: 1000000000',
      'Content-Type: text/plain',
      'If-Match: malformed',
    ];
    for (const [expected, line, host, mended, at = url] of steps) {
      const fields = all.filter((field) => !mended.some((start) => field.startsWith(start)));
      const body = mended.includes('Content-Length: 1000000000') ? 'Content-Length: 1\r\n\r\n{' : '\r\n';
      const bytes = `${line} HTTP/1.1\r\nHost: ${host}\r\n${fields.join('\r\n')}\r\n${body}`;
      expect([line, ...(await firstAnswer(bytes, at))]).toEqual([line, ...expected]);
    }
    const put = (path: string, fields = '') =>
      firstAnswer(message(`PUT ${path}`, '{"value":{}}', fields), url);
    expect(await put('/kv/%ff?upsert=x', 'If-Match: x\r\n')).toEqual([400, answers.invalidPrecondition]);
    expect(await put('/kv/missing?upsert=x')).toEqual([400, answers.invalidQuery]);
    expect(await put('/kv/%ff')).toEqual([400, answers.invalidKey]);
    expect(await put('/kv/missing')).toEqual([404, answers.keyNotFound]);
    await Promise.all([app.close(), unlimited.close()]);
  });

  const huge = `Content-Length: 1000000000\r\n`;

  // Holds status.order-of-checks.
  it.each([
    ['an unknown path before its size', 'PUT /nothing', huge, 404, answers.notFound],
    [
      'an unknown path before its media type',
      'PUT /nothing',
      'Content-Type: no type\r\n',
      404,
      answers.notFound,
    ],
    ['a wrong method before its size', 'POST /kv/state', huge, 405, answers.methodNotAllowed],
    [
      'the size before the media type',
      'PUT /kv/state',
      `${huge}Content-Type: text/plain\r\n`,
      413,
      answers.tooLarge,
    ],
    ['the size before the key', 'PUT /kv/%zz', huge, 413, answers.tooLarge],
    [
      'the media type before the key',
      'PUT /kv/%zz',
      'Content-Type: no type\r\nContent-Length: 5\r\n',
      415,
      answers.unsupportedMediaType,
    ],
  ])('is %s', async (_what, line, fields, status, body) => {
    expect(await firstAnswer(`${line} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)).toEqual([status, body]);
  });

  // Holds body.expect-continue.
  it.each([
    ['413', 'PUT /kv/state', huge, 413, answers.tooLarge],
    ['404', 'PUT /nothing', 'Content-Length: 10\r\n', 404, answers.notFound],
    ['405', 'POST /kv/state', 'Content-Length: 10\r\n', 405, answers.methodNotAllowed],
    [
      '415',
      'PUT /kv/state',
      'Content-Length: 10\r\nContent-Type: text/plain\r\n',
      415,
      answers.unsupportedMediaType,
    ],
  ])(
    'answers %s instead of 100 to a client that asks before it sends',
    async (_what, line, fields, status, body) => {
      const bytes = `${line} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n${fields}\r\n`;
      expect(await firstAnswer(bytes)).toEqual([status, body]);
    },
  );

  // Holds body.expect-continue.
  it('says 100 to a client that asks before it sends what is accepted', async () => {
    const body = '{"value":{"status":"ok"}}';
    const socket = open(
      message('PUT /kv/state', undefined, `Expect: 100-continue\r\nContent-Length: ${body.length}\r\n`),
    );
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(String(data)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(body);
    const [rest] = (await once(socket, 'data')) as [Buffer];
    expect(answersIn(String(rest))).toMatchObject([{ status: 200, body: JSON.stringify(answers.updated) }]);
    socket.destroy();
  });
});

// Holds body.ignored.
describe('a body that means nothing', () => {
  it.each(['no type', 'text/plain', 'application/json'])('is ignored by DELETE, as %s', async (type) => {
    await api().post('/kv').send({ key: 'ignored', value: {} }).expect(200, answers.inserted);
    const head = `Content-Type: ${type}\r\nContent-Length: 200000\r\n`;
    const bytes = `DELETE /kv/ignored HTTP/1.1\r\nHost: a\r\n${head}\r\n${'x'.repeat(200_000)}`;
    // And the connection can be used on.
    const all = answersIn(await exchange(service.url, bytes + message('GET /kv/ignored')));
    expect(all.map(({ status, body }) => [status, JSON.parse(body)])).toEqual([
      [200, answers.deleted],
      [404, answers.keyNotFound],
    ]);
  });

  it.each(['GET', 'HEAD'])('is ignored by %s', async (method) => {
    const bytes = message(`${method} /kv/state`, '{"a":1}', 'Content-Type: no type\r\n');
    expect(await exchange(service.url, bytes)).toMatch(/^HTTP\/1.1 200 /);
  });
});

describe('bodies that are not complete', () => {
  const unfinished =
    message('PUT /kv/state', undefined, `Content-Length: ${MAX_BODY_BYTES}\r\n`) +
    'x'.repeat(MAX_BODY_BYTES - 1);

  // Holds body.busy, limit.unfinished-bodies, setting.max-bodies-mib.
  it('are refused with 503 beyond what one client may hold, and served again when those are gone', async () => {
    const sockets = Array.from({ length: 40 }, () => open(unfinished));
    const refused = await Promise.any(
      sockets.map(async (socket) => String(((await once(socket, 'data')) as [Buffer])[0])),
    );
    expect(answersIn(refused)).toMatchObject([
      { status: 503, fields: { 'retry-after': '1' }, body: JSON.stringify(answers.busy) },
    ]);
    // What comes whole is not held.
    await api()
      .put('/kv/state')
      .send({ value: { status: 'ok' } })
      .expect(200, answers.updated);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => firstAnswer(`${unfinished}x`)).toEqual([400, answers.invalidBody]);
  });
});

describe('what takes too long to arrive', () => {
  // Holds status.408, limit.arrival.
  it.each([
    ['a declared body', 'PUT /kv/state HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{'],
    ['a body in chunks', 'PUT /kv/state HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n'],
    ['a header', 'PUT /kv/state HTTP/1.1\r\nHost: a\r\n'],
  ])('is answered 408: %s', async (_what, bytes) => {
    // Node's default for the header is a minute, and for the whole request it takes the longer of the two.
    const http = { ...service.config.http, requestTimeoutMs: 200 };
    const app = await startInstance({ ...service.config, http });
    expect(await firstAnswer(bytes, await app.getUrl())).toEqual([408, answers.requestTimeout]);
    await app.close();
  });
});

describe('connections', () => {
  // Holds body.busy, limit.connections, setting.max-connections.
  it('are refused with 503 beyond what one client may have, and served again when others are closed', async () => {
    const limits = { ...service.config.limits, maxConnections: 10 };
    const app = await startInstance({ ...service.config, limits });
    const url = await app.getUrl();
    const bytes = message('GET /health/live');
    const live = [200, { message: 'live', status: 200 }];

    const held = [];
    for (let n = 0; n < 5; n++) {
      const socket = open(bytes, url);
      await once(socket, 'data');
      held.push(socket);
    }
    const refused = answersIn(await untilClosed(url, bytes));
    expect(refused).toMatchObject([
      {
        status: 503,
        fields: { 'retry-after': '1', connection: 'close' },
        body: JSON.stringify(answers.busy),
      },
    ]);
    held.pop()?.destroy();
    await expect.poll(() => firstAnswer(bytes, url)).toEqual(live);
    for (const socket of held) socket.destroy();
    await app.close();
  });
});
