import fc from 'fast-check';
import { anyText, BODIES, damaged } from './fuzzed-bodies.js';
import { fields, framing } from './fuzzed-fields.js';
import { key } from './fuzzed-values.js';

/** The bytes of a message, and the method that a parser would find in it. */
export interface FuzzedRequest {
  readonly method: string;
  readonly bytes: Buffer;
}

const CRLF = '\r\n';

const encodedKey = fc.oneof(
  { weight: 8, arbitrary: key.map((text) => encodeURIComponent(text.toWellFormed())) },
  fc.constantFrom('%', '%ff', '%2', '%c0%80', 'a%2fb', '.', '..', 'a/b', 'a//', 'x'.repeat(17_000)),
);
const upsert = fc.constantFrom('', '', '?upsert=true', '?upsert=yes', '?upsert=true&upsert=true');
const listing = fc
  .array(
    fc.tuple(
      fc.constantFrom('prefix', 'start', 'end', 'limit', 'cursor', 'reverse', 'keys_only', 'other', ''),
      fc.oneof(
        fc.constantFrom('a', '', '1', '1000', '1001', 'true', '%ff', '%', '%00'),
        fc.webQueryParameters(),
      ),
    ),
    { maxLength: 4 },
  )
  .map((parameters) => `/kv?${parameters.map(([name, text]) => `${name}=${text}`).join('&')}`);
const ELSEWHERE =
  '/ * /health/live /health/ready /kv/ /nothing // /kv#x kv http://127.0.0.1/kv/a http://a@b/kv https://[::1]:1/batch';
const elsewhere = fc.constantFrom('', '/kv/a/b/touch', ...ELSEWHERE.split(' '));

interface Request {
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body?: Buffer | undefined;
}

/** Requests that the service has, with bodies that fit them. */
const meant: fc.Arbitrary<Request> = fc.oneof(
  fc.record({
    method: fc.constantFrom('GET', 'HEAD', 'DELETE'),
    path: encodedKey.map((text) => `/kv/${text}`),
  }),
  fc.record({
    method: fc.constant('PUT'),
    path: fc.tuple(encodedKey, upsert).map(([text, query]) => `/kv/${text}${query}`),
    body: damaged(BODIES.update),
  }),
  ...(
    [
      ['PATCH', '', 'application/merge-patch+json', BODIES.mergePatch],
      ['PATCH', '', 'application/json-patch+json', BODIES.jsonPatch],
      ['POST', '/touch', 'application/json', BODIES.touch],
    ] as const
  ).map(([method, suffix, type, text]) =>
    fc.record({
      method: fc.constant(method),
      path: encodedKey.map((name) => `/kv/${name}${suffix}`),
      type: fc.constant(type),
      body: damaged(text),
    }),
  ),
  ...(
    [
      ['/kv', BODIES.insert],
      ['/batch', BODIES.batch],
      ['/txn', BODIES.txn],
    ] as const
  ).map(([path, text]) =>
    fc.record({ method: fc.constant('POST'), path: fc.constant(path), body: damaged(text) }),
  ),
  fc.record({ method: fc.constant('GET'), path: listing }),
);

const method = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom('GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD') },
  fc.constantFrom('OPTIONS', 'TRACE', 'PROPFIND', 'BREW', 'get', 'G@T', ''),
);

const anything: fc.Arbitrary<Request> = fc.record({
  method,
  path: fc.oneof(
    elsewhere,
    listing,
    encodedKey.map((text) => `/kv/${text}`),
    fc.constantFrom('/kv', '/batch', '/txn'),
  ),
  body: fc.option(damaged(anyText), { nil: undefined }),
});

const protocol = fc.oneof(
  { weight: 30, arbitrary: fc.constant('HTTP/1.1') },
  fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', ''),
);

const message = fc
  .tuple(fc.oneof({ weight: 3, arbitrary: meant }, anything), protocol, fields, framing)
  .map(([{ method: name, path, type, body }, version_, others, frame]) => {
    const framed = body && frame(body);
    const given = new Set(others.map(([field_ = '']) => field_.toLowerCase()));
    const head = [
      `${name} ${path} ${version_}`,
      ...(given.has('host') ? [] : ['Host: 127.0.0.1']),
      ...(type === undefined || given.has('content-type') ? [] : [`Content-Type: ${type}`]),
      ...others.map(([field_, text]) => `${field_}: ${text}`),
      ...(framed?.fields ?? []),
    ].join(CRLF);
    return {
      method: name,
      bytes: Buffer.concat([Buffer.from(`${head}${CRLF}${CRLF}`), framed?.bytes ?? Buffer.alloc(0)]),
    };
  });

const noise = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => ({
  method: '',
  bytes: Buffer.from(bytes),
}));

/** A request that may be anything. Most of them get far into the service. */
export const fuzzedRequest: fc.Arbitrary<FuzzedRequest> = fc.oneof(
  { weight: 40, arbitrary: message },
  { weight: 1, arbitrary: noise },
);
