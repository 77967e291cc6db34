import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Config } from '../config/config.js';
import type { Connections } from './connections/connections.js';
import { requestId } from './request-id.js';
import { rewriteUrl } from './rewrite-url.js';

type FastifyOptions = NonNullable<ConstructorParameters<typeof FastifyAdapter>[0]>;

/**
 * Node looks for requests that take too long this many times within the timeout. So a request may be ended later than
 * its timeout by one such interval.
 */
const TIMEOUT_CHECKS = 6;

/**
 * Longer than the idle timeouts of common load balancers (60 s), so that the load balancer closes a connection first.
 */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

export function fastifyOptions(
  { http }: Config,
  response: typeof ServerResponse<IncomingMessage>,
  connections: Connections,
): FastifyOptions {
  // The options of Node's HTTP servers.
  const serverOptions = {
    // Node applies the longer of the two timeouts to the whole request, so the timeout for the header must not be
    // longer.
    headersTimeout: http.requestTimeoutMs,
    requestTimeout: http.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.ceil(http.requestTimeoutMs / TIMEOUT_CHECKS),
    // Node's own refusal of a request without Host has no body. `request-head.ts` refuses it instead.
    requireHostHeader: false,
    ServerResponse: response,
  };
  return {
    // We log requests in a hook of our own, and limit bodies where they are read.
    logger: false,
    genReqId: requestId,
    requestIdHeader: false,
    trustProxy: http.trustedProxies.length > 0 ? http.trustedProxies : false,
    serverFactory: (handle: RequestListener) => connections.createServer(handle, serverOptions),
    // `connections` answers these errors instead of Fastify.
    clientErrorHandler: () => undefined,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    rewriteUrl,
    // Node bounds the request line (16 KiB of headers). A key that is too long is refused by our own check, not by
    // the router.
    routerOptions: { maxParamLength: 16_384 },
  } as FastifyOptions;
}
