import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAllowedOrigin } from './cors.js';

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE';

/**
 * The request fields that a page may send. They are listed by name, because a wildcard does not cover `Authorization`
 * (Fetch §4.9).
 */
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

/** How long a browser may remember the answer to a preflight: Chromium takes no more than two hours. */
const MAX_AGE_S = '7200';

/**
 * Answers CORS preflights, which a browser sends before a page's own request (Fetch §4.8). They are answered before
 * the route is looked up and before the rate is counted, because a page cannot avoid sending them.
 */
export function answerPreflights(fastify: FastifyInstance, origins: readonly string[]): void {
  if (origins.length === 0) return;
  fastify.addHook('onRequest', (request, reply, done) => {
    if (!isPreflight(request)) {
      done();
      return;
    }
    void reply.header('Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers');
    if (isAllowedOrigin(request.headers.origin, origins)) {
      void reply.header('Access-Control-Allow-Methods', METHODS);
      void reply.header('Access-Control-Allow-Headers', REQUEST_FIELDS);
      void reply.header('Access-Control-Max-Age', MAX_AGE_S);
    }
    void reply.code(204).removeHeader('Content-Type').removeHeader('Access-Control-Expose-Headers').send();
  });
}

function isPreflight({ method, headers }: FastifyRequest): boolean {
  return (
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}
