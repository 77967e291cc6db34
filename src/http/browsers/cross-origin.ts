import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAllowedOrigin } from './cors.js';
import { hookRoutes } from '../hook-routes.js';
import { HttpError } from '../http.errors.js';

/** The methods that change something. */
const UNSAFE_METHODS = new Set(['DELETE', 'PATCH', 'POST', 'PUT']);

/**
 * Refuses writes that a page of another origin has a browser send. Browsers send forms, beacons and `no-cors`
 * requests without a preflight. The rules are those of Go's `http.CrossOriginProtection`. Clients that are no
 * browsers send neither of the two fields, and pass.
 * The check runs after the answers 404 and 405, which change nothing, and before the rate is counted, so that a
 * foreign page cannot use up the rate.
 */
export function refuseCrossOrigin(fastify: FastifyInstance, origins: readonly string[]): void {
  hookRoutes(fastify, UNSAFE_METHODS, (request, _reply, done) => {
    const isRefused = isCrossOrigin(request) && !isAllowedOrigin(request.headers.origin, origins);
    done(isRefused ? new HttpError('CROSS_ORIGIN_REQUEST') : undefined);
  });
}

/** `Sec-Fetch-Site` decides where the browser sent it (W3C Fetch Metadata §2.2), otherwise `Origin` (RFC 6454 §7). */
function isCrossOrigin({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site) return site !== 'same-origin' && site !== 'none';
  return Boolean(headers.origin) && !isOwnOrigin(headers.origin ?? '', headers.host ?? '');
}

/**
 * Only host and port are compared. `Host` does not tell the scheme, and behind a proxy the service does not know its
 * own. An origin that is `null` or malformed never counts as ours.
 */
function isOwnOrigin(origin: string, host: string): boolean {
  const { protocol, host: originHost } = parseUrl(origin) ?? {};
  return (
    originHost !== undefined && originHost !== '' && parseUrl(`${protocol}//${host}`)?.host === originHost
  );
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
