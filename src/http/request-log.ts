import { HttpStatus } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../logging/logger.js';
import { Repeats } from '../logging/repeats.js';

/** What a client may cause at any rate: refusals before its rate is counted or because of it, and those of a store that is away. */
const UNCOUNTED_STATUSES = new Set<number>([
  HttpStatus.METHOD_NOT_ALLOWED,
  HttpStatus.PAYLOAD_TOO_LARGE,
  HttpStatus.TOO_MANY_REQUESTS,
  431,
  HttpStatus.SERVICE_UNAVAILABLE,
  HttpStatus.GATEWAY_TIMEOUT,
]);

/**
 * One line for each request, when its answer has left. Names the route and not the path: keys may be personal data. Of what is
 * not counted to a client's rate the repeated lines are limited, so that no client fills the disk.
 */
export function logRequests(fastify: FastifyInstance, logger: Logger): void {
  if (!logger.isLevelEnabled('info')) return;
  const repeats = new Repeats(logger);
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? null;
    const status = reply.statusCode;
    // Without a route: 404 and 405. Without Host: 400 before the rate.
    const isLimited =
      UNCOUNTED_STATUSES.has(status) ||
      route === null ||
      route.startsWith('/health/') ||
      request.headers.host === undefined;
    if (!isLimited || repeats.allow(`${route ?? 'no route'} ${status}`)) {
      const ms = Math.round(reply.elapsedTime * 1000) / 1000;
      logger.info({ reqId: request.id, method: request.method, route, status, ms }, 'request');
    }
    done();
  });
  fastify.addHook('onClose', (_instance, done) => {
    repeats.tell();
    done();
  });
}
