import type { FastifyInstance } from 'fastify';
import { allowedMethods } from './allowed-methods.js';
import { JSON_UTF8 } from './envelope.js';
import { headFault } from './request-head.js';

/**
 * The fields that every answer has. `nosniff`: a value must never be taken for a page. What is wrong with the request as a whole is refused here.
 */
export function addCommonHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.header('Content-Type', JSON_UTF8);
    void reply.header('X-Content-Type-Options', 'nosniff');
    void reply.header('X-Request-Id', request.id);
    const fault = headFault(request.raw);
    // About the server as a whole (RFC 9110 §9.3.7).
    if (!fault && request.url === '*') {
      const allow = allowedMethods(request);
      void reply.code(204).removeHeader('Content-Type').header('Allow', allow).send();
    } else done(fault);
  });
}
