import fc from 'fast-check';
import type { Rule } from '../../src/access/rule.js';
import { markOf } from './access-model.js';
import type { Need } from './access-model.js';

/** Prefixes that overlap, and that differ in ways that bytes, units and characters see differently. */
const PREFIXES = ['', 'a', 'a/', 'a/b', 'a/b/', 'ab', 'b', 'b/', 'é', 'é/', '😀', '😀/', '%'];
export const KEYS = PREFIXES.flatMap((prefix) => ['', '1', 'b', '/x'].map((end) => prefix + end)).filter(
  Boolean,
);

/** One request, what it needs, and how its operations are decided, where each is decided by itself. */
export interface AccessRequest {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly fields: Record<string, string>;
  readonly body?: unknown;
  readonly needs: readonly Need[];
  /** Of a batch: what each operation needs. */
  readonly operations?: readonly Need[];
}

const key = fc.constantFrom(...KEYS);
const prefix = fc.constantFrom(...PREFIXES, 'a/b/1', 'none/');
const pathOf = (of: string): string => `/kv/${encodeURIComponent(of)}`;
const valueOf = (of: string, n: number): object => ({ mark: markOf(of), n });

export const rules: fc.Arbitrary<Rule[]> = fc.array(
  fc.record({
    prefix: fc.constantFrom(...PREFIXES),
    rights: fc.constantFrom<Rule['rights']>(['read'], ['write'], ['read', 'write']),
  }),
  { minLength: 1, maxLength: 3 },
);

const flag = fc.boolean();
const number = fc.nat(9);

type Plain = Omit<AccessRequest, 'fields'> & { fields?: Record<string, string> };

/** `about` is the path of the key, and `value` a value for it. */
type OnKey = (on: string, n: number, about: string, value: object) => Plain[];

const ifNoneMatch: Record<string, string> = { 'If-None-Match': '"1"' };
const wait: Record<string, string> = { Prefer: 'wait=0' };

const readsOf: OnKey = (on, _n, about) => {
  const plain = { path: about, needs: [['read', on] as const] };
  return [
    { ...plain, name: 'GET', method: 'GET' },
    { ...plain, name: 'HEAD', method: 'HEAD' },
    { ...plain, name: 'GET if changed', method: 'GET', fields: ifNoneMatch },
    { ...plain, name: 'GET that waits', method: 'GET', fields: wait },
  ];
};

const writesOf: OnKey = (on, n, about, value) => {
  const plain = { path: about, needs: [['write', on] as const] };
  const body = { value };
  return [
    { ...plain, name: 'POST', method: 'POST', path: '/kv', body: { key: on, value } },
    { ...plain, name: 'PUT', method: 'PUT', body },
    { ...plain, name: 'upsert', method: 'PUT', path: `${about}?upsert=true`, body },
    { ...plain, name: 'PUT if', method: 'PUT', fields: { 'If-Match': '"1"' }, body },
    { ...plain, name: 'touch', method: 'POST', path: `${about}/touch`, body: { ttl: 100_000 + n } },
    { ...plain, name: 'DELETE', method: 'DELETE' },
  ];
};

const patchesOf: OnKey = (on, n, about) => {
  const patch = (type: string, body: unknown): Plain => ({
    name: type,
    method: 'PATCH',
    path: about,
    fields: { 'Content-Type': `application/${type}+json` },
    body,
    needs: [
      ['read', on],
      ['write', on],
    ],
  });
  const test = { op: 'test', path: '/n', value: n };
  return [patch('merge-patch', { m: n }), patch('json-patch', [test, { op: 'add', path: '/p', value: n }])];
};

/** Requests about one key. */
const single: fc.Arbitrary<Plain> = fc
  .tuple(key, number)
  .chain(([on, n]) =>
    fc.constantFrom(
      ...[readsOf, writesOf, patchesOf].flatMap((make) => make(on, n, pathOf(on), valueOf(on, n))),
    ),
  );

interface Operation {
  readonly op: string;
  readonly key: string;
}

const operation: fc.Arbitrary<Operation> = fc
  .tuple(key, number)
  .chain(([on, n]) =>
    fc.constantFrom<Operation & Record<string, unknown>>(
      { op: 'get', key: on },
      { op: 'insert', key: on, value: valueOf(on, n) },
      { op: 'update', key: on, value: valueOf(on, n) },
      { op: 'upsert', key: on, value: valueOf(on, n) },
      { op: 'touch', key: on, ttl: 100_000 },
      { op: 'delete', key: on },
    ),
  );
const needOf = ({ op, key: on }: Operation): Need => [op === 'get' ? 'read' : 'write', on];

const batch: fc.Arbitrary<Plain> = fc.array(operation, { minLength: 1, maxLength: 6 }).map((operations) => ({
  name: 'batch',
  method: 'POST',
  path: '/batch',
  body: { operations },
  needs: [],
  operations: operations.map(needOf),
}));

const comparison = fc.record({ key, exists: flag });
const txn: fc.Arbitrary<Plain> = fc
  .tuple(
    fc.array(comparison, { maxLength: 2 }),
    fc.array(operation, { maxLength: 3 }),
    fc.option(fc.array(operation, { maxLength: 2 }), { nil: undefined }),
  )
  .map(([compare, success, failure]) => ({
    name: 'transaction',
    method: 'POST',
    path: '/txn',
    body: { compare, success, failure },
    needs: [
      ...compare.map((each): Need => ['read', each.key]),
      ...[...success, ...(failure ?? [])].map(needOf),
    ],
  }));

const list: fc.Arbitrary<Plain> = fc
  .record({
    prefix,
    start: fc.option(key),
    end: fc.option(key),
    reverse: flag,
    keysOnly: flag,
    limit: fc.integer({ min: 1, max: 50 }),
    delimiter: fc.constantFrom('', '/', 'b'),
  })
  .map(({ prefix: within, start, end, reverse, keysOnly, limit, delimiter }) => {
    const query = new URLSearchParams({
      prefix: within,
      limit: String(limit),
      reverse: String(reverse),
      keys_only: String(keysOnly),
    });
    if (delimiter) query.set('delimiter', delimiter);
    if (start !== null) query.set('start', start);
    if (end !== null) query.set('end', end);
    return { name: 'listing', method: 'GET', path: `/kv?${query.toString()}`, needs: [['read', within]] };
  });

const removal: fc.Arbitrary<Plain> = prefix.filter(Boolean).map((within) => ({
  name: 'removal by prefix',
  method: 'DELETE',
  path: `/kv?prefix=${encodeURIComponent(within)}`,
  needs: [['write', within]],
}));

/** `CURSOR` stands for a cursor of somebody else, who has walked everything with this prefix. */
const walk: fc.Arbitrary<Plain> = prefix.map((within) => ({
  name: 'a page of somebody else',
  method: 'GET',
  path: `/kv?cursor=CURSOR&of=${encodeURIComponent(within)}`,
  needs: [['read', within]],
}));

const changes: fc.Arbitrary<Plain> = fc
  .record({
    prefix,
    mode: fc.constantFrom('', '&live=sse', '&live=sse', '&live=long-poll&timeout=1'),
    offset: fc.constantFrom('-1', 'now', 'OFFSET', 'OFFSET'),
    values: flag,
  })
  .map(({ prefix: within, mode, offset, values }) => ({
    name: `changes${mode}`,
    method: 'GET',
    path: `/changes?prefix=${encodeURIComponent(within)}&offset=${offset}&values=${values}${mode}`,
    needs: [['read', within]],
  }));

const tokens: fc.Arbitrary<Plain> = fc.constantFrom<Plain>(
  { name: 'list of tokens', method: 'GET', path: '/tokens', needs: [['admin', '']] },
  {
    name: 'new token',
    method: 'POST',
    path: '/tokens',
    body: { name: 'n', rules: [{ prefix: '', rights: ['read', 'write', 'admin'] }] },
    needs: [['admin', '']],
  },
  { name: 'deleted token', method: 'DELETE', path: '/tokens/nobody', needs: [['admin', '']] },
);

/** Every kind of request, with every prefix and key. */
export const accessRequest: fc.Arbitrary<AccessRequest> = fc
  .tuple(
    fc.oneof(
      { weight: 12, arbitrary: single },
      { weight: 4, arbitrary: batch },
      { weight: 4, arbitrary: txn },
      { weight: 3, arbitrary: list },
      walk,
      removal,
      { weight: 4, arbitrary: changes },
      tokens,
    ),
    fc.constantFrom('', 'application/problem+json'),
  )
  .map(([plain, accept]) => ({ ...plain, fields: { ...plain.fields, ...(accept && { Accept: accept }) } }));
