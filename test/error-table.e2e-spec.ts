import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { HealthService } from '../src/health/health.service.js';
import { ERROR_TABLE } from '../src/http/error-table.js';
import type { ErrorCode } from '../src/http/error-table.js';
import { TarantoolClient } from '../src/tarantool/tarantool-client.js';
import { startFaultyStore } from './support/faulty-store.js';
import type { FaultyStore } from './support/faulty-store.js';
import { firstAnswer, message } from './support/raw.js';
import type { RawAnswer } from './support/raw.js';
import { ADMIN_TOKEN, newTokenFor } from './support/tokens.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
/** An instance whose limits are nearly used up, one for each refusal by a limit. */
let narrow: NestFastifyApplication;
let counting: NestFastifyApplication;
let stopping: NestFastifyApplication;
let faulty: FaultyStore;
/** An instance that needs tokens. */
let guarded: NestFastifyApplication;

beforeAll(async () => {
  service = await startTestApp({ MAX_BODY_BYTES: '4096' });
  faulty = await startFaultyStore();
  const { config } = service;
  narrow = await startInstance({
    ...config,
    http: { ...config.http, allowedHosts: ['a'], requestTimeoutMs: 200 },
    limits: { ...config.limits, maxBodiesBytes: 10, maxWatchers: 0 },
  });
  counting = await startInstance({ ...config, throttle: { limit: 1, windowMs: 600_000 } });
  await firstAnswer(await counting.getUrl(), message('GET /kv/state'));
  await firstAnswer(service.url, message('PUT /kv/keyed?upsert=true', '{"value":{}}', KEY));
  stopping = await startInstance(config);
  guarded = await startInstance({ ...config, access: { adminToken: ADMIN_TOKEN } });
  stopping.get(HealthService).startStopping();
  ({ token: limited } = await newTokenFor(await guarded.getUrl(), [{ prefix: 'a/', rights: ['write'] }]));
});
afterAll(async () => {
  await Promise.all([narrow.close(), counting.close(), stopping.close(), guarded.close()]);
  await faulty.stop();
  await service.stop();
});

/** A token that may write some keys. */
let limited: string;
const shows = (token: string): string => `Authorization: Bearer ${token}\r\n`;

const MERGE = 'Content-Type: application/merge-patch+json\r\n';
const KEY = 'Idempotency-Key: "used"\r\n';
const JSON_PATCH = 'Content-Type: application/json-patch+json\r\n';

/** How a refusal is provoked: by a request, with additional fields, and the instance that it is sent to. */
interface Provocation {
  readonly bytes: (fields: string) => string;
  readonly url?: () => Promise<string> | string;
  /** Members and fields that only this refusal has. */
  readonly members?: object;
  readonly fields?: Record<string, unknown>;
  /** Whether the refusal is written before `Accept` can be read. */
  readonly isUnread?: true;
}

const request =
  (line: string, body?: string, own = '') =>
  (fields: string): string =>
    message(line, body, own + fields);

const WALK: Record<ErrorCode, Provocation> = {
  INVALID_BODY: { bytes: request('POST /kv', '{"key":"a"}') },
  INVALID_QUERY: { bytes: request('GET /kv?prefx=a') },
  INVALID_CURSOR: { bytes: request('GET /kv?cursor=mine') },
  INVALID_OFFSET: { bytes: request('GET /changes?offset=mine') },
  INVALID_PRECONDITION: { bytes: request('GET /kv/state', undefined, 'If-Match: 12\r\n') },
  INVALID_IDEMPOTENCY_KEY: { bytes: request('DELETE /kv/nobody', undefined, 'Idempotency-Key: k\r\n') },
  INVALID_KEY: { bytes: request('GET /kv/%ff') },
  MALFORMED_REQUEST: { bytes: (fields) => `NONSENSE\r\n${fields}\r\n`, isUnread: true },
  UNAUTHORIZED: {
    bytes: request('GET /kv/state'),
    url: () => guarded.getUrl(),
    fields: { 'www-authenticate': 'Bearer' },
  },
  FORBIDDEN: {
    bytes: (fields) => message('GET /kv/state', undefined, shows(limited) + fields),
    url: () => guarded.getUrl(),
  },
  TOKEN_NOT_FOUND: {
    bytes: request('DELETE /tokens/nobody', undefined, shows(ADMIN_TOKEN)),
    url: () => guarded.getUrl(),
  },
  TOO_MANY_TOKENS: {
    bytes: request(
      'POST /tokens',
      '{"name":"n","rules":[{"prefix":"","rights":["read"]}]}',
      shows(ADMIN_TOKEN),
    ),
    url: () => faulty.guardedUrl,
  },
  CROSS_ORIGIN_REQUEST: { bytes: request('POST /kv', '{}', 'Sec-Fetch-Site: cross-site\r\n') },
  KEY_NOT_FOUND: { bytes: request('DELETE /kv/nobody') },
  CHANGES_OFF: { bytes: request('GET /changes?offset=now'), url: () => faulty.url },
  NOT_FOUND: { bytes: request('GET /nothing') },
  METHOD_NOT_ALLOWED: {
    bytes: request('POST /kv/state', '{}'),
    fields: { allow: 'DELETE, GET, HEAD, PATCH, PUT' },
  },
  REQUEST_TIMEOUT: {
    bytes: (fields) => `PUT /kv/state HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: 9\r\n\r\n{`,
    url: () => narrow.getUrl(),
  },
  KEY_EXISTS: { bytes: request('POST /kv', '{"key":"state","value":{}}') },
  TRANSACTION_ABORTED: {
    bytes: request('POST /txn', '{"compare":[{"key":"state","exists":false}],"success":[]}'),
    members: { failed: [0] },
  },
  PATCH_TEST_FAILED: {
    bytes: request('PATCH /kv/state', '[{"op":"test","path":"/status","value":1}]', JSON_PATCH),
  },
  PATCH_CONFLICT: { bytes: request('PATCH /kv/contended', '{}', MERGE), url: () => faulty.url },
  OFFSET_EXPIRED: { bytes: request('GET /changes?offset=00000000000000000000') },
  PRECONDITION_FAILED: {
    bytes: request('PUT /kv/state', '{"value":{}}', 'If-Match: "999"\r\n'),
    fields: { etag: '"1"', 'kv-version': '1' },
  },
  BODY_TOO_LARGE: { bytes: request('PUT /kv/state', 'x'.repeat(5000)) },
  VALUE_TOO_LARGE: { bytes: request('PUT /kv/state', `{"value":{"a":[${'1e15,'.repeat(600)}1]}}`) },
  MISDIRECTED_REQUEST: {
    bytes: (fields) => `GET /kv/state HTTP/1.1\r\nHost: b\r\n${fields}\r\n`,
    url: () => narrow.getUrl(),
  },
  UNSUPPORTED_MEDIA_TYPE: { bytes: request('PUT /kv/state', '{}', 'Content-Type: text/plain\r\n') },
  IDEMPOTENCY_KEY_REUSED: { bytes: request('POST /kv', '{"key":"a","value":{}}', KEY) },
  TOO_MANY_REQUESTS: {
    bytes: request('GET /kv/state'),
    url: () => counting.getUrl(),
    fields: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) },
  },
  HEADERS_TOO_LARGE: {
    bytes: request('GET /kv/state', undefined, `X: ${'x'.repeat(17_000)}\r\n`),
    isUnread: true,
  },
  INTERNAL: { bytes: request('GET /kv/bug'), url: () => faulty.url },
  NOT_IMPLEMENTED: { bytes: request('FROB /kv/state'), isUnread: true },
  STORAGE_UNAVAILABLE: {
    bytes: request('DELETE /kv/read-only'),
    url: () => faulty.url,
    fields: { 'retry-after': '1' },
  },
  TOO_BUSY: {
    bytes: (fields) => `PUT /kv/state HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: 99\r\n\r\n{"value":`,
    url: () => narrow.getUrl(),
    fields: { 'retry-after': '1' },
  },
  TOO_MANY_WATCHERS: {
    bytes: (fields) => `GET /changes?offset=now&live=long-poll HTTP/1.1\r\nHost: a\r\n${fields}\r\n`,
    url: () => narrow.getUrl(),
    fields: { 'retry-after': '1' },
  },
  TOO_MANY_IDEMPOTENCY_KEYS: {
    bytes: request('DELETE /kv/full', undefined, KEY),
    url: () => faulty.url,
    fields: { 'retry-after': '1' },
  },
  SHUTTING_DOWN: {
    bytes: request('GET /health/ready'),
    url: () => stopping.getUrl(),
    fields: { 'retry-after': '1' },
  },
  OUTCOME_UNKNOWN: { bytes: request('DELETE /kv/silent'), url: () => faulty.impatientUrl() },
  VERSION_NOT_SUPPORTED: {
    bytes: (fields) => `GET /kv/state HTTP/3.0\r\nHost: a\r\n${fields}\r\n`,
    isUnread: true,
  },
};

const provoke = async (code: ErrorCode, fields = ''): Promise<RawAnswer> => {
  const { bytes, url = () => service.url } = WALK[code];
  return firstAnswer(await url(), bytes(fields));
};

describe('every refusal that there is', () => {
  const rows = Object.entries(ERROR_TABLE) as [ErrorCode, (typeof ERROR_TABLE)[ErrorCode]][];

  // Holds status.401, status.403-forbidden, status.404-token, status.409-tokens.
  // Holds answer.envelope, answer.no-more-members, answer.no-internals, status.400-body, status.400-key.
  // Holds status.400-query, status.400-cursor, status.400-precondition, status.400-no-http, status.403.
  // Holds status.404-key, status.404-path, status.405, status.408, status.409-exists, status.409-test.
  // Holds status.409-conflict, status.409-aborted, status.412, status.413, status.415, status.421, status.429.
  // Holds status.431, status.500, status.400-offset, status.404-changes, status.410, status.503-watchers, status.400-idempotency-key, status.422, status.503-idempotency-keys, changes.max-watchers, limit.watchers, status.503-storage, status.503-stopping, status.504.
  it.each(rows)('%s is answered in the envelope', async (code, { status, message: text }) => {
    const { members, fields } = WALK[code];
    const answer = await provoke(code);
    expect(answer.status).toBe(status);
    expect(answer.body).toBe(JSON.stringify({ message: text, status, ...members }));
    expect(answer.fields).toMatchObject({
      'content-type': 'application/json; charset=utf-8',
      'x-content-type-options': 'nosniff',
      'x-request-id': expect.stringMatching(/^\S+$/) as string,
      ...fields,
    });
  });

  // Holds problem.members, problem.not-of-what-is-unread, problem.asked-for.
  it.each(rows)('%s is answered as problem details to who prefers them', async (code, row) => {
    const { status, message: title, detail } = row;
    const { isUnread, members, fields } = WALK[code];
    const answer = await provoke(code, 'Accept: application/problem+json\r\n');
    expect(answer.status).toBe(status);
    if (isUnread) {
      expect(answer.body).toBe(JSON.stringify({ message: title, status }));
      return;
    }
    const name = code.toLowerCase();
    const type = `urn:problem-type:tarantool-kv:${name}`;
    const problem = { type, title, status, detail, code: name, message: title, ...members };
    expect(answer.body).toBe(JSON.stringify(problem));
    expect(answer.fields).toMatchObject({
      'content-type': 'application/problem+json; charset=utf-8',
      ...fields,
    });
  });
});

// Holds problem.not-of-what-is-unread, status.408.
it('a header that does not end in time is answered 408 in the envelope, whatever it asks for', async () => {
  const start = 'PUT /kv/state HTTP/1.1\r\nHost: a\r\nAccept: application/problem+json\r\n';
  const { status, body } = await firstAnswer(await narrow.getUrl(), start);
  expect([status, body]).toEqual([408, '{"message":"request timeout","status":408}']);
});

describe('a store at fault', () => {
  const writes = (key: string): [string, string][] => [
    ['POST /kv', message('POST /kv', `{"key":"${key}","value":{}}`)],
    ['PUT /kv/:key', message(`PUT /kv/${encodeURIComponent(key)}`, '{"value":{}}')],
    ['an upsert', message(`PUT /kv/${encodeURIComponent(key)}?upsert=true`, '{"value":{}}')],
    ['DELETE', message(`DELETE /kv/${encodeURIComponent(key)}`)],
    ['a touch', message(`POST /kv/${encodeURIComponent(key)}/touch`, '{"ttl":1}')],
    ['/txn', message('POST /txn', `{"success":[{"op":"delete","key":"${key}"}]}`)],
  ];
  const UNAVAILABLE = [503, '{"message":"storage unavailable","status":503}', '1'];
  const UNKNOWN = [504, '{"message":"outcome unknown","status":504}', undefined];
  const INTERNAL = [500, '{"message":"internal server error","status":500}', undefined];

  const outcome = async (bytes: string, url = faulty.url): Promise<unknown[]> => {
    const { status, body, fields } = await firstAnswer(url, bytes);
    return [status, body, fields['retry-after']];
  };

  /** Only calls that are never answered go to the service with the short timeout. */
  const urlFor = (key: string): Promise<string> | string =>
    key === 'silent' ? faulty.impatientUrl() : faulty.url;

  // Holds removal.partly, removal.many-expired.
  it.each([
    ['partly/', [200, '{"message":"deleted","status":200,"deleted":5,"remaining":true}', undefined]],
    ['expired/', [200, '{"message":"deleted","status":200,"deleted":0,"remaining":true}', undefined]],
    ['read-only', UNAVAILABLE],
    ['silent', UNKNOWN],
    ['bug', INTERNAL],
  ])('is told to a removal by prefix as what it is: %s', async (prefix, expected) => {
    expect(await outcome(message(`DELETE /kv?prefix=${prefix}`), await urlFor(prefix))).toEqual(expected);
  });

  // Holds status.500, status.503-storage, status.504, limit.store-answer, setting.tarantool-timeout.
  // Holds caller.503, caller.504.
  it.each([
    ['memory full', UNAVAILABLE],
    ['disk full', UNAVAILABLE],
    ['read-only', UNAVAILABLE],
    ['silent', UNKNOWN],
    ['bug', INTERNAL],
  ])('is told to every write as what it is: %s', async (key, expected) => {
    const told = await Promise.all(
      writes(key).map(async ([what, bytes]) => [what, await outcome(bytes, await urlFor(key))]),
    );
    expect(told).toEqual(writes(key).map(([what]) => [what, expected]));
  });

  // Holds status.503-storage, status.500, limit.store-answer.
  it.each([
    ['silent', UNAVAILABLE],
    ['memory full', UNAVAILABLE],
    ['bug', INTERNAL],
  ])('is told to a read as what it is: %s', async (key, expected) => {
    const get = message(`GET /kv/${encodeURIComponent(key)}`);
    expect(await outcome(get, await urlFor(key))).toEqual(expected);
  });

  // Holds batch.503-of-one.
  it.each([
    ['memory full', 503, 'storage unavailable'],
    ['silent', 504, 'outcome unknown'],
  ])('is told by the operation of a batch that met it: %s', async (key, status, text) => {
    const operations = [
      { op: 'delete', key },
      { op: 'delete', key: '..' },
    ];
    const batch = message('POST /batch', JSON.stringify({ operations }));
    expect(await outcome(batch, await urlFor(key))).toEqual([
      200,
      JSON.stringify({
        message: 'processed',
        status: 200,
        results: [
          { message: text, status },
          { message: 'invalid key', status: 400 },
        ],
      }),
      undefined,
    ]);
  });

  // Holds patch.twenty-attempts, limit.patch-attempts.
  it('has a PATCH tried 20 times where others write, and no more', async () => {
    const call = vi.spyOn(faulty.app.get(TarantoolClient), 'call');
    const answer = await outcome(message('PATCH /kv/contended', '{"a":1}', MERGE));
    const calls = call.mock.calls.map(([name]) => name);
    call.mockRestore();
    expect(answer).toEqual([409, '{"message":"conflict, try again","status":409}', undefined]);
    expect(calls).toEqual(Array.from({ length: 20 }, () => ['kv.get', 'kv.update']).flat());
  });
});
