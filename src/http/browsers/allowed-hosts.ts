import type { FastifyInstance } from 'fastify';
import { HttpError } from '../http.errors.js';

const HOST = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/;

/** Health probes may use any host name or address. They learn only whether the service is up. */
const HEALTH = /^\/health\//;

/**
 * Refuses requests for another host (421, RFC 9110 §15.5.20). The owner of a web page may have its own host name
 * resolve to the address of this service (DNS rebinding). The browser then counts the service as part of that page's
 * origin, and lets the page read and write. The name in `Host` gives such a page away.
 */
export function refuseOtherHosts(fastify: FastifyInstance, allowedHosts: readonly string[]): void {
  if (allowedHosts.length === 0) return;
  const allowed = new Set(allowedHosts);
  // Most requests name the same host as the request before.
  let lastAllowed: string | undefined;
  fastify.addHook('onRequest', ({ headers: { host }, url }, _reply, done) => {
    // HTTP/1.0 does not need Host. Every browser sends it.
    const isAllowed = host === undefined || host === lastAllowed || allowed.has(hostName(host));
    if (isAllowed) lastAllowed = host;
    done(isAllowed || HEALTH.test(url) ? undefined : new HttpError('MISDIRECTED_REQUEST'));
  });
}

/** The host name without its port, in lower case. */
function hostName(host: string): string {
  return (HOST.exec(host)?.[1] ?? '').toLowerCase();
}
