import type { FastifyInstance } from 'fastify';
import { hookRoutes } from '../hook-routes.js';
import { HttpError } from '../http.errors.js';
import { RequestBody } from './request-body.js';
import type { BodyLimits } from './request-body.js';

/** Their bodies mean something. Those of other methods are ignored. */
const METHODS: ReadonlySet<string> = new Set(['PATCH', 'POST', 'PUT']);

/**
 * Hands bodies on unread, so that they are read and parsed only after the guards: a throttled client costs no parsing.
 * Only what a request declares of its size is looked at before, once it is known that there is such a path and method.
 */
export function deferBodies(fastify: FastifyInstance, limits: BodyLimits): void {
  // Fastify reads no body then, and looks at no media type.
  for (const method of fastify.supportedMethods) fastify.addHttpMethod(method, { overrideExisting: true });
  hookRoutes(fastify, METHODS, (request, reply, done) => {
    if (Number(request.headers['content-length']) > limits.maxBytes) {
      done(new HttpError('BODY_TOO_LARGE', { Connection: 'close' }));
    } else {
      request.body = new RequestBody(request.raw, reply.raw, limits);
      done();
    }
  });
}
