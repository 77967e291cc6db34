// What one client sends to bring the service down, within its rate. Each attack is one input of a kind.
import { chunkedByByte, get, request } from './requests.mjs';

const MIB = 2 ** 20;
/** Entries that the attacks are about, made first: each as large as a PUT may make it. */
const LARGE = 'abuse/large';
const LIST = 'abuse/list';
const ESCAPES = 'abuse/escapes';
const GONE = 'abuse/gone';

export const ENTRIES = {
  [LARGE]: { s: 'x'.repeat(MIB - 100) },
  [LIST]: { a: Array.from({ length: 520_000 }, () => 0) },
  [ESCAPES]: { s: '\u0001'.repeat(170_000) },
  [GONE]: { n: 1 },
};

const path = (key) => `/kv/${encodeURIComponent(key)}`;
const patch = (key, type, body) =>
  request('PATCH', path(key), body, [`Content-Type: application/${type}+json`]);
const operations = (count, operation) =>
  JSON.stringify(Array.from({ length: count }, (_, i) => operation(i)));

const copies = patch(
  LARGE,
  'json-patch',
  operations(1000, (i) => ({ op: 'copy', from: '/s', path: `/c${i}` })),
);
const shifts = patch(
  LIST,
  'json-patch',
  operations(10_000, () => ({ op: 'add', path: '/a/0', value: 1 })),
);
const nested = (opening, levels, closing) => `${opening.repeat(levels)}0${closing.repeat(levels)}`;
const deepValue = request('PUT', path(GONE), `{"value":${nested('{"a":', 5000, '}')}}`);
const deepPatch = patch(GONE, 'merge-patch', nested('{"a":', 5000, '}'));
const deepList = request('PUT', path(GONE), `{"value":{"a":${nested('[', 500_000, ']')}}}`);
const largeBody = JSON.stringify({ value: ENTRIES[LARGE] });
const byByte = chunkedByByte('PUT', path(LARGE), largeBody);
const batchOf = (key, count) =>
  request('POST', '/batch', JSON.stringify({ operations: Array(count).fill({ op: 'get', key }) }));
const largeBatch = batchOf(LARGE, 1000);
const mediumBatch = batchOf(LARGE, 16);
const largeTxn = request(
  'POST',
  '/txn',
  JSON.stringify({ success: Array(128).fill({ op: 'get', key: ESCAPES }) }),
);
const page = get('/kv?prefix=abuse/&limit=1000');
const growing = request('PUT', path(GONE), `{"value":{"a":[${Array(200_000).fill('1e15').join()}]}}`);
const hiddenPrecondition = Buffer.from(
  `DELETE ${path(GONE)} HTTP/1.1\r\nHost: a\r\n${Array.from({ length: 1000 }, (_, i) => `x${i}: \r\n`).join('')}If-Match: "1"\r\n\r\n`,
);
const emptyPatch = patch(LARGE, 'merge-patch', '{}');
const putThenGarbage = Buffer.concat([
  request('PUT', path(GONE), '{"value":{"n":2}}'),
  Buffer.from('garbage\r\n\r\n'),
]);
const pipelined = (target) => Buffer.concat(Array.from({ length: 200 }, () => get(target)));
const unfinished = request('PUT', path(LARGE), largeBody).subarray(0, -1);

/**
 * `connections` at once. Each sends the next of `bytes` when it has an answer, or a little later with `readsNothing`,
 * or never with `isHeld`.
 */
export const ATTACKS = {
  'JSON Patch: 1000 copies of 1 MB': { bytes: [copies], connections: 8 },
  'JSON Patch: 10,000 insertions at the front of 520,000': { bytes: [shifts], connections: 4 },
  'bodies of 5000 levels and more': { bytes: [deepValue, deepPatch, deepList], connections: 8 },
  'a body of 1 MB in chunks of one byte': { bytes: [byByte], connections: 10 },
  'batches of 1000 GETs of 1 MB': { bytes: [largeBatch], connections: 4 },
  'answers that grow: escapes and exponents': { bytes: [largeTxn, page, growing], connections: 8 },
  'GETs of 1 MB that are not read': { bytes: [get(path(LARGE))], connections: 64, readsNothing: true },
  '200 readers of 16 MB that never read': {
    bytes: [mediumBatch],
    connections: 200,
    readsNothing: true,
    isHeld: true,
  },
  '10,000 held connections': { bytes: [Buffer.from('GET /kv/')], connections: 10_000, isHeld: true },
  '800 bodies that lack one byte': { bytes: [unfinished], connections: 800, isHeld: true },
  '1000 header lines before If-Match': { bytes: [hiddenPrecondition], connections: 8 },
  'PATCH {} of 1 MB': { bytes: [emptyPatch], connections: 100 },
  'a PUT followed by garbage': { bytes: [putThenGarbage], connections: 8 },
  'health checks and unknown paths, 200 at once': {
    bytes: ['/health/ready', '/health/live', '/nothing'].map(pipelined),
    connections: 16,
  },
  'a new address with each request': { connections: 32, isProxy: true },
};
