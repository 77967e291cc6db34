import { inject } from 'vitest';

const JSON_TYPE = 'application/json';

/** One request to the service; `body` goes as it is. */
export async function send(method, path, { body, type = JSON_TYPE, fields = {} } = {}) {
  const answer = await fetch(`${inject('url')}${path}`, {
    method,
    body,
    headers: { ...(body === undefined ? {} : { 'content-type': type }), ...fields },
  });
  const text = await answer.text();
  return { status: answer.status, text, fields: answer.headers, json: () => JSON.parse(text) };
}

export const pathOf = (key) => `/kv/${encodeURIComponent(key)}`;

/** A store of any JSON value, as libraries want one: what it holds is the member `v` of our objects. */
export const values = {
  async get(key) {
    const answer = await send('GET', pathOf(key));
    return answer.status === 404 ? undefined : answer.json().value.v;
  },
  async has(key) {
    return (await send('HEAD', pathOf(key))).status === 200;
  },
  /** @param ttl in seconds */
  async set(key, v, ttl) {
    const body = JSON.stringify({ value: { v }, ...(ttl === undefined ? {} : { ttl }) });
    const { status, text } = await send('PUT', `${pathOf(key)}?upsert=true`, { body });
    if (status !== 200) throw new Error(text);
  },
  async delete(key) {
    return (await send('DELETE', pathOf(key))).status === 200;
  },
  /** Walks all keys that begin with `prefix`, page by page. */
  async *keys(prefix = '') {
    let path = `/kv?keys_only=true&prefix=${encodeURIComponent(prefix)}`;
    for (;;) {
      const { items, next_cursor: cursor } = (await send('GET', path)).json();
      for (const { key } of items) yield key;
      if (cursor === null) return;
      path = `/kv?cursor=${cursor}`;
    }
  },
  async clear(prefix) {
    for await (const key of values.keys(prefix)) await values.delete(key);
  },
};
