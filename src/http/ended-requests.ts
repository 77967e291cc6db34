import { channel } from 'node:diagnostics_channel';
import type { FastifyInstance } from 'fastify';

/** A request whose answer has been sent, or was given up. */
export interface EndedRequest {
  readonly method: string;
  /** The pattern of the route, never the path. Undefined where there is none. */
  readonly route: string | undefined;
  readonly status: number;
  /** Undefined for bytes that were no request. */
  readonly seconds: number | undefined;
}

/** Each request is told here when it has ended. */
export const ENDED_REQUESTS = channel('tarantool-kv:request.ended');

export function tellEndedRequests(fastify: FastifyInstance): void {
  fastify.addHook('onResponse', ({ method, routeOptions }, reply, done) => {
    if (ENDED_REQUESTS.hasSubscribers) {
      const { statusCode: status, elapsedTime } = reply;
      const ended: EndedRequest = { method, route: routeOptions.url, status, seconds: elapsedTime / 1000 };
      ENDED_REQUESTS.publish(ended);
    }
    done();
  });
}
