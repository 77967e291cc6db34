import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allowedMethods } from './allowed-methods.js';
import { JSON_UTF8 } from './envelope.js';
import { headFault } from './request-head.js';

/**
 * The fields that every answer has. `nosniff`: a value must never be taken for a page. `no-cache`: a cache without instructions may keep
 * even a 404 as long as it likes (RFC 9111 §4.2.2). What is wrong with the request as a whole is refused here.
 */
export function addCommonHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.method === 'HEAD') route.onSend = [...[route.onSend ?? []].flat(), dropLengthOf304];
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    // Fastify makes names lower case, which takes longer than all else about a field that is set.
    void reply.header('content-type', JSON_UTF8);
    void reply.header('x-content-type-options', 'nosniff');
    void reply.header('x-request-id', request.id);
    if (request.method === 'GET' || request.method === 'HEAD') void reply.header('cache-control', 'no-cache');
    const fault = headFault(request.raw);
    // About the server as a whole (RFC 9110 §9.3.7).
    if (!fault && request.url === '*') {
      const allow = allowedMethods(request);
      void reply.code(204).removeHeader('Content-Type').header('Allow', allow).send();
    } else done(fault);
  });
}

/** Fastify takes the answer to HEAD for one whose body is left out, and of a 304 would say that it has length 0 (RFC 9110 §8.6). */
function dropLengthOf304(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  if (reply.statusCode === 304) void reply.removeHeader('Content-Length');
  done(null, payload);
}
