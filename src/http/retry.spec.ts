import { fastify } from 'fastify';
import type { FastifyRequest } from 'fastify';
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { RequestBody } from './bodies/request-body.js';
import { retryOf, showReplay } from './retry.js';

const sha256 = (...texts: (string | Buffer)[]): Buffer => {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text);
  return hash.digest();
};

interface Write {
  readonly method?: string;
  readonly url?: string;
  readonly tokenId?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `null` for a request without a body. */
  readonly body?: string | null;
}

/** A request whose body has been read. */
function request({ headers, body = '{"value":1}', ...write }: Write): FastifyRequest {
  const { 'idempotency-key': key } = headers ?? {};
  const raw = { headers, headersDistinct: key === undefined ? {} : { 'idempotency-key': [key] } };
  const read = new RequestBody(raw as never, {} as never, {} as never);
  if (body !== null) read.digest = sha256(body);
  const all = { method: 'PUT', url: '/kv/a?ttl=5', ...write, headers, raw, body: read };
  return all as Partial<FastifyRequest> as FastifyRequest;
}

const HEADERS = { 'idempotency-key': '"k-1"', 'content-type': 'application/json' };
const retry = (write: Write = {}): ReturnType<typeof retryOf> =>
  retryOf(request({ ...write, headers: { ...HEADERS, ...write.headers } }));

const FINGERPRINT = sha256('["PUT","/kv/a?ttl=5",null,null,"application/json"]\n', sha256('{"value":1}'));

describe('a write that is safe to repeat', () => {
  it('is one with a key', () => {
    expect(retryOf(request({ headers: { 'content-type': 'application/json' } }))).toBeUndefined();
  });

  it.each<[string, Write, object]>([
    ['is known by its key, its head and its body', {}, {}],
    ['belongs to the client whose token it shows', { tokenId: 'id-1' }, { client: 'id-1' }],
    ['has the key of its field', { headers: { 'idempotency-key': '"k-2"' } }, { key: 'k-2' }],
    ['may have other fields', { headers: { 'user-agent': 'b' } }, {}],
    [
      'may have a condition',
      { headers: { 'if-match': '"1"', 'if-none-match': '*' } },
      {
        fingerprint: sha256(
          String.raw`["PUT","/kv/a?ttl=5","\"1\"","*","application/json"]`,
          '\n',
          sha256('{"value":1}'),
        ),
      },
    ],
    [
      'may have no body',
      { method: 'DELETE', body: null },
      { fingerprint: sha256('["DELETE","/kv/a?ttl=5",null,null,"application/json"]\n') },
    ],
  ])('%s', (_what, write, differs) => {
    expect(retry(write)).toEqual({ client: '', key: 'k-1', fingerprint: FINGERPRINT, ...differs });
  });

  it('is another where anything differs that says what it does', () => {
    const writes: Write[] = [
      {},
      { method: 'POST' },
      { url: '/kv/b?ttl=5' },
      { url: '/kv/a?ttl=6' },
      { body: '{"value":2}' },
      { body: '' },
      { body: null },
      { headers: { 'if-match': '"1"' } },
      { headers: { 'if-none-match': '"1"' } },
      { headers: { 'content-type': 'application/merge-patch+json' } },
    ];
    const fingerprints = writes.map((write) => retry(write)?.fingerprint.toString('hex'));
    expect(new Set(fingerprints).size).toBe(writes.length);
  });

  it('has no body where none was read', () => {
    const { body: _read, ...withoutBody } = request({ headers: HEADERS });
    const fingerprint = sha256('["PUT","/kv/a?ttl=5",null,null,"application/json"]\n');
    expect(retryOf(withoutBody as FastifyRequest)?.fingerprint).toEqual(fingerprint);
  });

  it.each([
    [{ isReplayed: true }, 'true'],
    [{ isReplayed: false }, undefined],
    [{}, undefined],
  ])('is shown as replayed where it was: %j', async (answer, shown) => {
    const app = fastify();
    app.put('/', (_request, reply) => {
      showReplay(reply, answer);
      return 'written';
    });
    const { headers } = await app.inject({ method: 'PUT', url: '/' });
    expect(headers['idempotency-replayed']).toBe(shown);
    await app.close();
  });
});
