import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Retry } from '../entries/retry.js';
import { RequestBody } from './bodies/request-body.js';
import { parseIdempotencyKey } from './idempotency-key.js';

/**
 * What makes this write safe to repeat, if the client wants that. Its body has to have been read.
 * @throws {KvError} INVALID_IDEMPOTENCY_KEY
 */
export function retryOf(request: FastifyRequest): Retry | undefined {
  const key = parseIdempotencyKey(request.raw);
  if (key === undefined) return undefined;
  return { client: request.tokenId ?? '', key, fingerprint: fingerprint(request) };
}

/** Tells the client that its write was applied before, and that this is the answer from then. */
export function showReplay(reply: FastifyReply, { isReplayed }: { readonly isReplayed?: boolean }): void {
  if (isReplayed) void reply.header('idempotency-replayed', 'true');
}

/**
 * A hash of all that says what a write does. The text of the head has no line break, so nothing of it can be taken for
 * a part of the body.
 */
function fingerprint({ method, url, headers, body }: FastifyRequest): Buffer {
  const fields = [headers['if-match'], headers['if-none-match'], headers['content-type']];
  const hash = createHash('sha256').update(`${JSON.stringify([method, url, ...fields])}\n`);
  if (body instanceof RequestBody && body.digest) hash.update(body.digest);
  return hash.digest();
}
