import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Config } from '../config/config.js';
import type { Connections } from './connections/connections.js';
import { requestId } from './request-id.js';
import { rewriteUrl } from './rewrite-url.js';

type FastifyOptions = NonNullable<ConstructorParameters<typeof FastifyAdapter>[0]>;

/** Node looks so often in that time for requests that take too long: so much later they may be ended. */
const TIMEOUT_CHECKS = 6;

/** Longer than the idle time-outs of common load balancers (60 s), so that it is they who close. */
const KEEP_ALIVE_TIMEOUT_MS = 72_000;

export function fastifyOptions(
  { http }: Config,
  response: typeof ServerResponse<IncomingMessage>,
  connections: Connections,
): FastifyOptions {
  // How Node's HTTP servers are set up.
  const serverOptions = {
    // Of a longer time for the header Node would take the longer of the two for the whole request.
    headersTimeout: http.requestTimeoutMs,
    requestTimeout: http.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionsCheckingInterval: Math.ceil(http.requestTimeoutMs / TIMEOUT_CHECKS),
    // Node's own refusal of a request without Host has no body; ours is made where headers are looked at first.
    requireHostHeader: false,
    ServerResponse: response,
  };
  return {
    // The request log is our own hook, and the body limit is kept where bodies are read.
    logger: false,
    genReqId: requestId,
    requestIdHeader: false,
    trustProxy: http.trustedProxies.length > 0 ? http.trustedProxies : false,
    serverFactory: (handle: RequestListener) => connections.createServer(handle, serverOptions),
    // What it would answer by itself is answered by `connections`.
    clientErrorHandler: () => undefined,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    rewriteUrl,
    // Node bounds the request line (16 KiB of headers); a key that is too long is our own answer, not the router's.
    routerOptions: { maxParamLength: 16_384 },
  } as FastifyOptions;
}
