import type { FastifyInstance } from 'fastify';
import { hookRoutes } from '../hook-routes.js';
import { HttpError } from '../http.errors.js';
import { RequestBody } from './request-body.js';
import type { BodyLimits } from './request-body.js';

/** The methods whose request bodies have a meaning. The bodies of other methods are ignored. */
const METHODS: ReadonlySet<string> = new Set(['PATCH', 'POST', 'PUT']);

/**
 * Passes request bodies on unread, so that they are read and parsed after the guards and a throttled client costs no
 * parsing. Before that, and once the route is known, only the declared size is checked.
 */
export function deferBodies(fastify: FastifyInstance, limits: BodyLimits): void {
  // Without a body parser for the method, Fastify neither reads the body nor looks at the media type.
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
