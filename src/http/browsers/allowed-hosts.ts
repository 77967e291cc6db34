import type { FastifyInstance } from 'fastify';
import { HttpError } from '../http.errors.js';

const HOST = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/;

/** Probes ask by whatever address they have, and learn nothing but whether we serve. */
const HEALTH = /^\/health\//;

/**
 * Refuses requests for another host (421, RFC 9110 §15.5.20). A page may have its own name point to our address (DNS rebinding): the
 * browser then takes us for the page's own origin, and lets it read and write. It is the name in `Host` that gives it away.
 */
export function refuseOtherHosts(fastify: FastifyInstance, allowedHosts: readonly string[]): void {
  if (allowedHosts.length === 0) return;
  const allowed = new Set(allowedHosts);
  // Most requests name the host that the one before has named.
  let lastAllowed: string | undefined;
  fastify.addHook('onRequest', ({ headers: { host }, url }, _reply, done) => {
    // HTTP/1.0 needs no Host; every browser sends one.
    const isAllowed = host === undefined || host === lastAllowed || allowed.has(hostName(host));
    if (isAllowed) lastAllowed = host;
    done(isAllowed || HEALTH.test(url) ? undefined : new HttpError('MISDIRECTED_REQUEST'));
  });
}

/** Without the port, in lower case. */
function hostName(host: string): string {
  return (HOST.exec(host)?.[1] ?? '').toLowerCase();
}
