import { HttpStatus } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../logging/logger.js';
import { Repeats } from '../logging/repeats.js';
import { traceOf } from './traceparent.js';

/**
 * Statuses that a client may cause at any rate: refusals before its rate is counted or because of it, and refusals
 * while the store is unreachable.
 */
const UNCOUNTED_STATUSES = new Set<number>([
  HttpStatus.METHOD_NOT_ALLOWED,
  HttpStatus.PAYLOAD_TOO_LARGE,
  HttpStatus.TOO_MANY_REQUESTS,
  431,
  HttpStatus.SERVICE_UNAVAILABLE,
  HttpStatus.GATEWAY_TIMEOUT,
]);

/**
 * Logs one line for each request, when its answer has been sent. The line names the route and not the path, because
 * keys may be personal data. Repeated lines of requests that are not counted to a client's rate are limited, so that
 * no client can fill the disk.
 */
export function logRequests(fastify: FastifyInstance, logger: Logger): void {
  if (!logger.isLevelEnabled('info')) return;
  const repeats = new Repeats(logger);
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? null;
    const status = reply.statusCode;
    // A 404 or 405 has no route. A 400 for a missing Host comes before the rate is counted.
    const isLimited =
      UNCOUNTED_STATUSES.has(status) ||
      route === null ||
      route.startsWith('/health/') ||
      request.headers.host === undefined;
    if (!isLimited || repeats.allow(`${route ?? 'no route'} ${status}`)) {
      const ms = Math.round(reply.elapsedTime * 1000) / 1000;
      const { id: reqId, method, tokenId: token } = request;
      const trace = traceOf(request.headers.traceparent);
      logger.info({ reqId, trace, method, route, status, ms, token }, 'request');
    }
    done();
  });
  fastify.addHook('onClose', (_instance, done) => {
    repeats.tell();
    done();
  });
}
