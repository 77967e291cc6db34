import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allowedMethods } from './allowed-methods.js';
import { JSON_UTF8 } from './envelope.js';
import { headFault } from './request-head.js';

/**
 * Sets the fields that every answer has. `nosniff` keeps a browser from showing a value as a page. `no-cache` is
 * needed because a cache without instructions may keep even a 404 as long as it likes (RFC 9111 §4.2.2). Requests
 * whose head is faulty are refused here.
 */
export function addCommonHeaders(fastify: FastifyInstance): void {
  fastify.addHook('onRoute', (route) => {
    if (route.method === 'HEAD') route.onSend = [...[route.onSend ?? []].flat(), dropLengthOf304];
  });
  fastify.addHook('onRequest', (request, reply, done) => {
    // Fastify turns names into lower case, which takes longer than everything else about setting a field.
    void reply.header('content-type', JSON_UTF8);
    void reply.header('x-content-type-options', 'nosniff');
    void reply.header('x-request-id', request.id);
    if (request.method === 'GET' || request.method === 'HEAD') void reply.header('cache-control', 'no-cache');
    const fault = headFault(request.raw);
    // The request is about the server as a whole (RFC 9110 §9.3.7).
    if (!fault && request.url === '*') {
      const allow = allowedMethods(request);
      void reply.code(204).removeHeader('Content-Type').header('Allow', allow).send();
    } else done(fault);
  });
}

/**
 * Removes Content-Length from a 304. Fastify would set it to 0, which says that the representation is empty (RFC 9110
 * §8.6).
 */
function dropLengthOf304(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  if (reply.statusCode === 304) void reply.removeHeader('Content-Length');
  done(null, payload);
}
