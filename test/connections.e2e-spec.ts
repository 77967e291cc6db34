import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { answersIn, exchange, message, untilClosed } from './support/raw.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

/** Status and body of each answer, in their order. */
async function outcomes(bytes: string, send = exchange): Promise<unknown[]> {
  return answersIn(await send(service.url, bytes)).map(({ status, body }) => [
    status,
    body && JSON.parse(body),
  ]);
}

const put = (key: string, n: number): string => message(`PUT /kv/${key}`, `{"value":{"n":${n}}}`);
const post = (key: string, n: number): string => message('POST /kv', `{"key":"${key}","value":{"n":${n}}}`);
const get = (key: string): string => message(`GET /kv/${key}`);
const remove = (key: string): string => message(`DELETE /kv/${key}`);

const inserted = [200, answers.inserted];
const updated = [200, answers.updated];
const deleted = [200, answers.deleted];
const missing = [404, answers.keyNotFound];
const value = (n: number): unknown[] => [200, { value: { n } }];

describe('requests sent together on one connection (RFC 9112 §9.3.2)', () => {
  // Holds connection.sent-together.
  it('are answered as if each had been sent when the one before was answered', async () => {
    for (let n = 0; n < 10; n++) {
      const key = `together-${n}`;
      const bytes = [
        post(key, 1),
        get(key),
        put(key, 2),
        get(key),
        get(key),
        remove(key),
        get(key),
        post(key, 3),
      ];
      expect(await outcomes(bytes.join(''))).toEqual([
        inserted,
        value(1),
        updated,
        value(2),
        value(2),
        deleted,
        missing,
        inserted,
      ]);
    }
  });

  it('are written in their order', async () => {
    const puts = Array.from({ length: 50 }, (_, n) => put('state', n)).join('');
    expect(await outcomes(puts + get('state'))).toEqual([
      ...Array.from({ length: 50 }, () => updated),
      value(49),
    ]);
  });

  // Holds connection.sent-together.
  it('read what was there before a write that comes after them', async () => {
    const before = await outcomes(put('state', 1) + get('state').repeat(20) + put('state', 2) + get('state'));
    expect(before).toEqual([updated, ...Array.from({ length: 20 }, () => value(1)), updated, value(2)]);
  });

  it('are all answered, however many reads come in one packet', async () => {
    const many = await outcomes(put('state', 7) + get('state').repeat(3000));
    expect(many).toHaveLength(3001);
    expect(new Set(many.slice(1).map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify(value(7))]),
    );
  });

  it('may have bodies larger than what is read at once', async () => {
    const large = message('PUT /kv/state', `{"value":{"n":1,"pad":"${'x'.repeat(400_000)}"}}`);
    expect(await outcomes(large + put('state', 2) + large + put('state', 3) + get('state'))).toEqual([
      updated,
      updated,
      updated,
      updated,
      value(3),
    ]);
  });

  // Holds connection.close.
  it('are not carried out behind one that closes the connection (§9.6)', async () => {
    const last = message('PUT /kv/state', '{"value":{"n":4}}', 'Connection: close\r\n');
    expect(await outcomes(put('state', 3) + last + put('state', 5), untilClosed)).toEqual([updated, updated]);
    expect(await outcomes(get('state'))).toEqual([value(4)]);
  });
});

describe('a request that asks for another protocol', () => {
  const upgrade =
    'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n';

  it.each([
    ['GET /kv/upgrade', undefined, missing],
    ['POST /batch', '{}', [400, answers.invalidBody]],
  ])(
    '%s is answered as any other, and closes: what is behind it may not have been read',
    async (line, body, answer) => {
      const bytes = message(line, body, upgrade) + put('state', 1);
      expect(await outcomes(bytes, untilClosed)).toEqual([answer]);
      expect(await outcomes(get('upgrade') + bytes, untilClosed)).toEqual([missing, answer]);
    },
  );

  it.each(['zz\r\n', '', '5\r\n{"a'])(
    'whose body ends in %j is refused with its connection',
    async (rest) => {
      const bytes = message('POST /kv', undefined, `${upgrade}Transfer-Encoding: chunked\r\n`) + rest;
      const malformed = [400, answers.malformed];
      expect(await outcomes(bytes)).toEqual([malformed]);
      expect(await outcomes(get('upgrade') + put('state', 1) + bytes)).toEqual([missing, updated, malformed]);
    },
  );
});

describe('a client that half-closes after its request', () => {
  // Holds connection.half-close.
  it('gets its answer', async () => {
    for (let n = 0; n < 20; n++) {
      expect(await outcomes(put('state', n))).toEqual([updated]);
      expect(await outcomes(get('state'))).toEqual([value(n)]);
    }
  });
});

// Holds connection.no-http.
describe('what is no HTTP, behind requests', () => {
  const malformed = [400, answers.malformed];

  it.each([
    ['garbage', 'garbage\r\n\r\n', malformed],
    [
      'a chunk without size',
      message('PUT /kv/state', undefined, 'Transfer-Encoding: chunked\r\n') + 'zz\r\n',
      malformed,
    ],
    [
      'a field that is too large',
      message('GET /kv/state', undefined, `X: ${'x'.repeat(20_000)}\r\n`),
      [431, answers.headersTooLarge],
    ],
    ['an unknown method', message('FROB /kv/state'), [501, answers.notImplemented]],
    ['CONNECT', message('CONNECT a:80'), [501, answers.notImplemented]],
    ['an unknown version', 'GET /kv/state HTTP/1.2\r\nHost: a\r\n\r\n', [505, answers.versionNotSupported]],
  ])('%s is refused after their answers, and closes', async (_what, bytes, refusal) => {
    const all = await outcomes(
      put('state', 8) + get('state').repeat(40) + put('state', 9) + bytes,
      untilClosed,
    );
    expect(all).toEqual([updated, ...Array.from({ length: 40 }, () => value(8)), updated, refusal]);
    expect(await outcomes(get('state'))).toEqual([value(9)]);
  });

  it.each([
    ['whose chunk has no size', 'zz\r\n', malformed],
    ['whose trailer is too large', `0\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, [431, answers.headersTooLarge]],
    ['whose chunk extensions are too large', `1;${'x'.repeat(20_000)}\r\n{\r\n`, [413, answers.tooLarge]],
  ])('a body %s is refused once, and nothing of it is applied', async (_what, rest, refusal) => {
    const head = message('PUT /kv/state', undefined, 'Transfer-Encoding: chunked\r\n');
    const start = '14\r\n{"value":{"n":1,"a":\r\n';
    expect(await outcomes(put('state', 10) + head + start + rest, untilClosed)).toEqual([updated, refusal]);
    // The same in a packet of its own, when the request is under way.
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.write(`${head.replace('Host', 'Expect: 100-continue\r\nHost')}`);
    await once(socket, 'data');
    socket.write(start + rest);
    await once(socket, 'close');
    expect(answersIn(answer.replace('HTTP/1.1 100 Continue\r\n\r\n', ''))).toMatchObject([
      { status: refusal[0], body: JSON.stringify(refusal[1]), fields: { connection: 'close' } },
    ]);
    expect(await outcomes(get('state'))).toEqual([value(10)]);
  });

  it('a delete that is under way is answered as it ends, whatever follows as its body', async () => {
    const head = message('DELETE /kv/gone', undefined, 'Transfer-Encoding: chunked\r\n');
    expect(await outcomes(post('gone', 1))).toEqual([inserted]);
    expect(await outcomes(`${head}zz\r\n`, untilClosed)).toEqual([deleted]);
    expect(await outcomes(`${post('gone', 1)}${head}zz\r\n`, untilClosed)).toEqual([inserted, malformed]);
    expect(await outcomes(get('gone'))).toEqual([value(1)]);
  });
});
