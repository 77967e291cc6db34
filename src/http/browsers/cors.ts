import type { FastifyInstance } from 'fastify';

/** Allows every origin. */
const ANY_ORIGIN = '*';

/**
 * The answer fields that a page may read. They are listed by name, because a wildcard does not work with credentials,
 * and there is no wildcard for a prefix.
 */
const ANSWER_FIELDS = [
  'Accept-Patch',
  'Allow',
  'ETag',
  'Idempotency-Replayed',
  'KV-Expires-At',
  'KV-Version',
  'Link',
  'Location',
  'Preference-Applied',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Stream-Cursor',
  'Stream-Next-Offset',
  'Stream-Up-To-Date',
  'X-Request-Id',
].join(', ');

/** Whether pages of this origin may use the service. */
export function isAllowedOrigin(origin: string | undefined, origins: readonly string[]): boolean {
  return origins.includes(ANY_ORIGIN) || (origin !== undefined && origins.includes(origin));
}

/**
 * Lets pages of these origins read every answer, refusals too (the CORS protocol, Fetch §3.2). So this hook runs
 * before everything that can refuse a request.
 */
export function addCorsFields(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const isForAny = origins.includes(ANY_ORIGIN);
  fastify.addHook('onRequest', ({ headers: { origin } }, reply, done) => {
    if (!isForAny) void reply.header('Vary', 'Origin');
    if (isAllowedOrigin(origin, origins)) {
      void reply.header('Access-Control-Allow-Origin', isForAny ? ANY_ORIGIN : origin);
      void reply.header('Access-Control-Expose-Headers', ANSWER_FIELDS);
    }
    done();
  });
}
