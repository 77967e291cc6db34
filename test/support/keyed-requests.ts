const JSON_TYPE = 'application/json';

/** One write, which is sent with an Idempotency-Key until it is answered. */
export interface KeyedRequest {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: string | undefined;
  /** How the changes are known that it makes: see `makerOf`. */
  readonly mark: string;
}

/** A change as `GET /changes` tells it. */
export interface Change {
  readonly key: string;
  readonly value?: { readonly request?: string };
  readonly headers: { readonly operation: string; readonly txid: string };
  readonly version: string;
}

/** Entries that all requests write to. */
const SHARED = 50;
const sharedKey = (n: number): string => `shared/${n}`;

/** Writes that make the entries, before the others begin. */
export function firstRequests(): KeyedRequest[] {
  return Array.from({ length: SHARED }, (_, n) =>
    write(`first-${n}`, 'POST', '/kv', { key: sharedKey(n), value: { request: `first-${n}`, list: [] } }),
  );
}

/**
 * A random job of some writes, one behind the other. Each of them, applied twice, makes one more change than it should:
 * most write to entries that exist before and after.
 */
export function randomJob(id: string, random: () => number): KeyedRequest[] {
  const path = `/kv/${encodeURIComponent(sharedKey(Math.floor(random() * SHARED)))}`;
  const own = `own/${id}`;
  const ownPath = `/kv/${encodeURIComponent(own)}`;
  const value = { request: id, list: [] };
  const create = write(`${id}-create`, 'POST', '/kv', { key: own, value: { request: `${id}-create` } });
  const jobs: (() => KeyedRequest[])[] = [
    () => [write(id, 'PUT', path, { value })],
    () => [write(id, 'PUT', `${path}?upsert=true`, { value, ttl: 3600 })],
    () => [write(id, 'PATCH', path, { request: id }, 'application/merge-patch+json')],
    () => [
      write(
        id,
        'PATCH',
        path,
        [
          { op: 'add', path: '/list/-', value: id },
          { op: 'add', path: '/request', value: id },
        ],
        'application/json-patch+json',
      ),
    ],
    () => [
      write(id, 'POST', '/txn', {
        success: [
          { op: 'get', key: own },
          { op: 'upsert', key: sharedKey(Math.floor(random() * SHARED)), value },
          { op: 'insert', key: own, value },
        ],
      }),
    ],
    () => [create],
    () => [create, { ...write(id, 'POST', `${ownPath}/touch`, { ttl: 3600 }), mark: `touch ${own}` }],
    () => [
      create,
      { ...write(id, 'DELETE', ownPath), mark: `delete ${own}` },
      { ...create, ...again(create) },
    ],
  ];
  return jobs[Math.floor(random() * jobs.length)]?.() ?? [];
}

/** By which request a change was made. A touch leaves the version, and a removal leaves no value. */
export function makerOf({ key, value, headers, version }: Change): string {
  if (headers.operation === 'delete') return `delete ${key}`;
  if (headers.txid !== version) return `touch ${key}`;
  return `write ${value?.request}`;
}

function write(id: string, method: string, path: string, body?: object, type = JSON_TYPE): KeyedRequest {
  return { id, method, path, type, body: body && JSON.stringify(body), mark: `write ${id}` };
}

/** The entry is made once more, so that a removal that came twice would remove it. */
function again({ id, body = '' }: KeyedRequest): Pick<KeyedRequest, 'id' | 'body' | 'mark'> {
  return { id: `${id}-again`, body: body.replace(`"${id}"`, `"${id}-again"`), mark: `write ${id}-again` };
}
