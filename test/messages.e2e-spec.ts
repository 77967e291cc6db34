import { METHODS } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { answersIn, exchange, message, untilClosed } from './support/raw.js';
import type { RawAnswer } from './support/raw.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

const { api } = client(() => service.url);

/** The one answer to these bytes. */
async function answer(bytes: string, send = exchange): Promise<RawAnswer & { json: unknown }> {
  const all = answersIn(await send(service.url, bytes));
  const [only] = all;
  if (!only || all.length > 1) throw new Error(`${all.length} answers`);
  return { ...only, json: only.body === '' ? undefined : JSON.parse(only.body) };
}

const state = { value: { status: 'ok' } };

describe('header fields (RFC 9110 §5)', () => {
  const lines = (count: number): string => Array.from({ length: count }, (_, n) => `X-${n}: \r\n`).join('');

  // Holds connection.431, connection.never-dropped, limit.fields.
  it.each([
    ['DELETE', 'If-Match: "999"\r\n'],
    ['GET', 'If-None-Match: *\r\n'],
    ['PUT', 'Content-Type: text/plain\r\n'],
  ])('behind 1000 others are not dropped: %s answers 431 (§5.4)', async (method, field) => {
    for (const count of [200, 1000, 2500]) {
      const bytes = message(`${method} /kv/state`, '{"value":{}}', lines(count) + field);
      expect(await answer(bytes, untilClosed)).toMatchObject({ status: 431, json: answers.headersTooLarge });
    }
    await api().get('/kv/state').expect(200, state);
  });

  // Holds limit.header, connection.431.
  it('have 16 KiB of room together, with the request line', async () => {
    const get = (length: number) => message('GET /kv/state', undefined, `X: ${'x'.repeat(length)}\r\n`);
    expect(await answer(get(16_200))).toMatchObject({ status: 200, json: state });
    expect(await answer(get(16_400), untilClosed)).toMatchObject({
      status: 431,
      json: answers.headersTooLarge,
    });
  });

  // Holds connection.never-dropped, limit.fields.
  it('hold behind 190 others', async () => {
    const bytes = message('DELETE /kv/state', undefined, `${lines(190)}If-Match: "999"\r\n`);
    expect(await answer(bytes)).toMatchObject({ status: 412, json: answers.preconditionFailed });
  });

  // Holds connection.twice, connection.never-dropped.
  it.each([
    'Content-Type: application/json\r\nContent-Type: text/plain\r\n',
    'Content-Type: application/json\r\ncontent-type: application/json\r\n',
    'Authorization: a\r\nAuthorization: b\r\n',
    'If-Modified-Since: a\r\nX: y\r\nIF-MODIFIED-SINCE: b\r\n',
    'Origin: http://a\r\nOrigin: http://b\r\n',
    'Host: b\r\n',
    'host: a\r\n',
  ])('that have one value and come twice are 400 (§5.3): %j', async (fields) => {
    const bytes = message('PUT /kv/state', '{"value":{"n":1}}', fields);
    expect(await answer(bytes)).toMatchObject({ status: 400, json: answers.malformed });
    await api().get('/kv/state').expect(200, state);
  });

  // Holds connection.lists-in-lines, connection.never-dropped.
  it('that are lists hold with all of their lines (§5.2)', async () => {
    const { headers } = await api().get('/kv/state');
    const tag = String(headers['etag']);
    const twice = (name: string, first: string, second: string): string =>
      `${name}: ${first}\r\nX: y\r\n${name}: ${second}\r\n`;
    const read = (fields: string) => answer(message('GET /kv/state', undefined, fields));
    const touch = (fields: string) => answer(message('DELETE /kv/state', undefined, fields));
    expect((await read(twice('If-None-Match', '"999"', tag))).status).toBe(304);
    expect((await read(twice('If-None-Match', tag, '"999"'))).status).toBe(304);
    expect((await touch(twice('If-Match', '"998"', '"999"'))).status).toBe(412);
    expect((await touch(twice('If-Match', '*', '*'))).json).toEqual(answers.invalidPrecondition);
    expect((await read(twice('Accept', 'text/html', 'application/json'))).status).toBe(200);
  });

  // Holds connection.trailers.
  it('of a trailer are ignored (§6.5.1)', async () => {
    const chunked = `${'{"value":{"status":"ok"}}'.length.toString(16)}\r\n{"value":{"status":"ok"}}\r\n0\r\n`;
    const head = message('PUT /kv/state', undefined, 'Transfer-Encoding: chunked\r\n');
    expect((await answer(`${head}${chunked}If-Match: "999"\r\nHost: b\r\n\r\n`)).json).toEqual(
      answers.updated,
    );
  });

  // Holds answer.fields.
  it('X-Request-Id is the first sane one of several', async () => {
    const id = async (fields: string) =>
      (await answer(message('GET /kv/state', undefined, fields))).fields['x-request-id'];
    expect(await id('X-Request-Id: own-1\r\nX-Request-Id: proxy-2\r\n')).toBe('own-1');
    expect(await id('X-Request-Id: not sane\r\nX-Request-Id: proxy-2\r\n')).toBe('proxy-2');
    expect(await id('X-Request-Id: not sane\r\nX-Request-Id: "\r\n')).toMatch(/^[\w-]+-\w+$/);
  });
});

describe('Host (RFC 9112 §3.2)', () => {
  it.each(['', 'a', 'a:80', 'a:', '127.0.0.1:5000', '[::1]', '[2001:db8::1]:443', 'a_b-c.d~e', '%41'])(
    '%j is taken',
    async (host) => {
      expect((await answer(`GET /kv/state HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).json).toEqual(state);
    },
  );

  // Holds connection.host.
  it.each(['a b', 'a/b', 'a,b', 'a, b', 'a@b', 'a:b', 'a?', 'http://a', '[::1', '::1', 'a"', '%4', 'é'])(
    '%j is 400',
    async (host) => {
      const { status, json } = await answer(`GET /kv/state HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      // A comma is legal in a name, so one in a single line is no second field.
      expect([status, json]).toEqual(host === 'a,b' ? [200, state] : [400, answers.malformed]);
    },
  );

  // Holds connection.host, connection.versions.
  it('may be missing in HTTP/1.0 only', async () => {
    expect((await answer('GET /kv/state HTTP/1.0\r\n\r\n')).json).toEqual(state);
    expect((await answer('GET /kv/state HTTP/1.1\r\n\r\n')).json).toEqual(answers.malformed);
  });
});

describe('a request target (RFC 9112 §3.2)', () => {
  // Holds connection.absolute-form.
  it.each([
    ['GET', '/kv/state', 200],
    ['HEAD', '/kv/state', 200],
    ['GET', '/kv?limit=1', 200],
    ['GET', '/kv/missing', 404],
    ['GET', '/nothing', 404],
    ['GET', '/', 404],
    ['GET', '', 404],
    ['GET', '?a=b', 404],
    ['GET', '/kv/%zz', 400],
    ['GET', '/kv/a#b', 400],
    ['POST', '/kv/state', 405],
    ['PUT', '/kv', 405],
    ['OPTIONS', '/kv', 405],
  ])('in absolute form means what it means in origin form: %s http://h%s', async (method, path, status) => {
    const origin = await answer(message(`${method} ${path.startsWith('/') ? path : `/${path}`}`));
    expect(origin.status).toBe(status);
    for (const start of ['http://h', 'http://h:80', 'HTTP://127.0.0.1:5000', 'https://[::1]']) {
      const absolute = await answer(message(`${method} ${start}${path}`));
      expect([absolute.status, absolute.body, absolute.fields['allow']]).toEqual([
        status,
        origin.body,
        origin.fields['allow'],
      ]);
    }
  });

  it.each([
    'ftp://h/kv/state',
    'http:///kv/state',
    'http://u@h/kv/state',
    'http://a:b/kv/state',
    '*',
    '/kv/state#f',
  ])('GET %s is 400', async (target) => {
    expect((await answer(message(`GET ${target}`))).json).toEqual(answers.malformed);
  });

  it('in absolute form needs one legal Host as well (§3.2.2)', async () => {
    for (const host of ['', 'Host: a b\r\n', 'Host: a\r\nHost: a\r\n']) {
      expect((await answer(`GET http://h/kv/state HTTP/1.1\r\n${host}\r\n`)).json).toEqual(answers.malformed);
    }
  });

  // Holds connection.options-star.
  it('of OPTIONS may be the server as a whole (RFC 9110 §9.3.7)', async () => {
    expect(await answer(message('OPTIONS *'))).toMatchObject({
      status: 204,
      body: '',
      fields: { allow: 'DELETE, GET, HEAD, PATCH, POST, PUT' },
    });
  });
});

describe('a method (RFC 9110 §9)', () => {
  const others = METHODS.filter(
    (name) => !['CONNECT', 'DELETE', 'GET', 'HEAD', 'PATCH', 'PUT'].includes(name),
  );

  // Holds connection.method-of-path.
  it.each(others)('%s that no path has is 405 with Allow, and 404 where there is no path', async (method) => {
    expect(await answer(message(`${method} /kv/state`))).toMatchObject({
      status: 405,
      json: answers.methodNotAllowed,
      fields: { allow: 'DELETE, GET, HEAD, PATCH, PUT' },
    });
    expect((await answer(message(`${method} /nothing`))).json).toEqual(answers.notFound);
  });

  // Holds connection.no-method.
  it.each(['FROB', 'get', 'GETT', 'X-Y', "!#$%&'*+.^_`|~", 'M'])(
    '%s that nobody knows is 501, and closes (§9.1)',
    async (method) => {
      expect(await answer(message(`${method} /kv/state`), untilClosed)).toMatchObject({
        status: 501,
        json: answers.notImplemented,
        fields: { connection: 'close' },
      });
    },
  );

  // Holds connection.no-method.
  it('CONNECT is 501, and closes', async () => {
    expect((await answer('CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n', untilClosed)).json).toEqual(
      answers.notImplemented,
    );
  });

  // Holds connection.upgrade.
  it('with Upgrade is answered without one (§7.8)', async () => {
    const fields =
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA\r\n';
    expect(await answer(message('GET /kv/state', undefined, fields), untilClosed)).toMatchObject({
      status: 200,
      json: state,
      fields: { connection: 'close' },
    });
    expect((await answer(message('PUT /kv/state', JSON.stringify(state), fields))).json).toEqual(
      answers.updated,
    );
  });
});

describe('the end of a message (RFC 9112 §6)', () => {
  const send = (fields: string, body: string, version = '1.1') =>
    answer(`PUT /kv/state HTTP/${version}\r\nHost: a\r\n${fields}\r\n${body}`, untilClosed);
  const chunk = '7\r\n{"a":1}\r\n0\r\n\r\n';

  // Holds connection.coding.
  it.each(['gzip', 'gzip, chunked', 'chunked, gzip', 'identity', 'xchunked', ''])(
    'in a coding other than chunked is 501, and closes (§6.1): %j',
    async (coding) => {
      expect(await send(`Transfer-Encoding: ${coding}\r\n`, chunk)).toMatchObject({
        status: 501,
        json: answers.notImplemented,
        fields: { connection: 'close' },
      });
    },
  );

  // Holds connection.coding-and-length.
  it.each([
    ['a coding and a length', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', chunk],
    ['a length and a coding', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', chunk],
    ['two lengths', 'Content-Length: 5\r\nContent-Length: 6\r\n', 'abcdef'],
    ['two equal lengths', 'Content-Length: 2\r\nContent-Length: 2\r\n', '{}'],
    ['a list of lengths', 'Content-Length: 2, 2\r\n', '{}'],
    ['a length below zero', 'Content-Length: -2\r\n', '{}'],
  ])('by %s is 400, and closes (§6.3)', async (_what, fields, body) => {
    expect(await send(fields, body)).toMatchObject({
      status: 400,
      json: answers.malformed,
      fields: { connection: 'close' },
    });
  });

  // Holds connection.coding-and-length, connection.versions.
  it('in HTTP/1.0 is by no coding (§6.1)', async () => {
    expect(await send('Transfer-Encoding: chunked\r\n', chunk, '1.0')).toMatchObject({
      status: 400,
      json: answers.malformed,
    });
  });
});

describe('a version (RFC 9112 §2.3)', () => {
  // Holds connection.other-version.
  it.each(['0.9', '1.2', '2.0', '3.0'])('HTTP/%s is 505, and closes', async (version) => {
    expect(await answer(`GET /kv/state HTTP/${version}\r\nHost: a\r\n\r\n`, untilClosed)).toMatchObject({
      status: 505,
      json: answers.versionNotSupported,
      fields: { connection: 'close' },
    });
  });

  it.each([
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, answers.versionNotSupported],
    ['the start of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, answers.malformed],
    ['a line of HTTP/0.9', 'GET /kv/state\r\n', 400, answers.malformed],
  ])('%s is answered in HTTP/1.1, and closes', async (_what, bytes, status, json) => {
    expect(await answer(bytes)).toMatchObject({ status, json, fields: { connection: 'close' } });
  });
});

describe('what caches may do with an answer (RFC 9111)', () => {
  // Holds answer.cache-control.
  it.each([
    ['GET', '/kv/state', 200, 'no-cache'],
    ['HEAD', '/kv/state', 200, 'no-cache'],
    ['GET', '/kv', 200, 'no-cache'],
    ['GET', '/kv/missing', 404, 'no-cache'],
    ['HEAD', '/kv/missing', 404, 'no-cache'],
    ['GET', '/nothing', 404, 'no-cache'],
    ['GET', '/batch', 405, 'no-cache'],
    ['GET', '/kv/.', 400, 'no-cache'],
    ['GET', '/kv?a=b', 400, 'no-cache'],
    ['GET', '/health/live', 200, 'no-store'],
    ['HEAD', '/health/ready', 200, 'no-store'],
  ])('%s %s (%i) says %s', async (method, path, status, instruction) => {
    const bytes = await exchange(service.url, message(`${method} ${path}`));
    expect(bytes).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(bytes.match(/^cache-control: .*$/gim)).toEqual([`cache-control: ${instruction}`]);
  });

  it.each(['GET', 'HEAD'])(
    '304 to %s has neither body nor length nor type (RFC 9110 §15.4.5)',
    async (method) => {
      const bytes = await exchange(
        service.url,
        message(`${method} /kv/state`, undefined, 'If-None-Match: *\r\n'),
      );
      expect(bytes).toMatch(/^HTTP\/1\.1 304 .*\r\n\r\n$/s);
      expect(bytes).not.toMatch(/^(?:content-length|content-type|transfer-encoding):/im);
      expect(bytes).toMatch(/^etag: "\d+"\r$/m);
    },
  );

  it('HEAD has the length that GET has (RFC 9110 §9.3.2)', async () => {
    for (const path of ['/kv/state', '/kv/missing', '/nothing', '/health/live']) {
      const [got] = answersIn(await exchange(service.url, message(`GET ${path}`)));
      const head = await exchange(service.url, message(`HEAD ${path}`));
      expect(head.endsWith('\r\n\r\n')).toBe(true);
      expect(head).toMatch(new RegExp(`^content-length: ${got?.fields['content-length']}\r$`, 'm'));
    }
  });
});
