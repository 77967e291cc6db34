import type { FastifyInstance } from 'fastify';

/** Stands for every origin. */
export const ANY_ORIGIN = '*';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/** What a page may send. By name, because a wildcard does not cover `Authorization` (Fetch §4.9). */
const REQUEST_FIELDS = [
  'Accept',
  'Authorization',
  'Cache-Control',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'Last-Event-ID',
  'Prefer',
  'Traceparent',
  'Tracestate',
  'X-Request-Id',
].join(', ');

/** What a page may read. By name, because a wildcard does not go with credentials, and there are none for prefixes. */
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

/** How long a browser may remember the answer to a preflight: Chromium takes no more than two hours. */
const MAX_AGE_S = '7200';

/** Whether pages of this origin may use the service. */
export function isAllowedOrigin(origin: string | undefined, origins: readonly string[]): boolean {
  return origins.includes(ANY_ORIGIN) || (origin !== undefined && origins.includes(origin));
}

/**
 * Lets pages of these origins read every answer, refusals included, and answers their preflights (the CORS protocol, Fetch §3.2).
 * Preflights end here: before the route is looked for and before the rate is counted, because a page cannot help sending them.
 */
export function addCors(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const isForAny = origins.includes(ANY_ORIGIN);
  fastify.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    const isAllowed = isAllowedOrigin(origin, origins);
    if (!isForAny) void reply.header('Vary', 'Origin');
    if (isAllowed) void reply.header('Access-Control-Allow-Origin', isForAny ? ANY_ORIGIN : origin);

    const isPreflight =
      request.method === 'OPTIONS' &&
      origin !== undefined &&
      request.headers['access-control-request-method'] !== undefined;
    if (!isPreflight) {
      if (isAllowed) void reply.header('Access-Control-Expose-Headers', ANSWER_FIELDS);
      done();
      return;
    }
    void reply.header('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
    if (isAllowed) {
      void reply.header('Access-Control-Allow-Methods', METHODS);
      void reply.header('Access-Control-Allow-Headers', REQUEST_FIELDS);
      void reply.header('Access-Control-Max-Age', MAX_AGE_S);
    }
    void reply.code(204).removeHeader('Content-Type').send();
  });
}
