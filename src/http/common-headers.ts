import type { FastifyInstance } from 'fastify';
import { HttpError } from './http.errors.js';
import { JSON_UTF8 } from './envelope.js';

/**
 * The fields that every answer has. `nosniff`: a value must never be taken for a page. An HTTP/1.1 request without Host is
 * refused (RFC 9112 §3.2).
 */
export function addCommonHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('Content-Type', JSON_UTF8);
    void reply.header('X-Content-Type-Options', 'nosniff');
    void reply.header('X-Request-Id', request.id);
    done(
      request.headers.host === undefined && request.raw.httpVersion === '1.1'
        ? new HttpError('MALFORMED_REQUEST')
        : undefined,
    );
  });
}
