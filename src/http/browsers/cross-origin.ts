import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isAllowedOrigin } from './cors.js';
import { hookRoutes } from '../hook-routes.js';
import { HttpError } from '../http.errors.js';

/** All that change something. */
const UNSAFE_METHODS = new Set(['DELETE', 'PATCH', 'POST', 'PUT']);

/**
 * Refuses what a page of another origin would have a browser write: forms, beacons and `no-cors` requests are sent without asking
 * us first. By the rules of Go's `http.CrossOriginProtection`. Who is no browser sends neither field, and passes.
 * It stands behind 404 and 405, which do nothing, and before the rate, so that a foreign page cannot spend it by writing.
 */
export function refuseCrossOrigin(fastify: FastifyInstance, origins: readonly string[]): void {
  hookRoutes(fastify, UNSAFE_METHODS, (request, _reply, done) => {
    const isRefused = isCrossOrigin(request) && !isAllowedOrigin(request.headers.origin, origins);
    done(isRefused ? new HttpError('CROSS_ORIGIN_REQUEST') : undefined);
  });
}

/** `Sec-Fetch-Site` decides where a browser sent it (W3C Fetch Metadata §2.2), else `Origin` (RFC 6454 §7). */
function isCrossOrigin({ headers }: FastifyRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site) return site !== 'same-origin' && site !== 'none';
  return Boolean(headers.origin) && !isOwnOrigin(headers.origin ?? '', headers.host ?? '');
}

/**
 * `Host` does not tell the scheme, so that of the origin is taken for ours: behind a proxy we would not know it. An origin
 * that is `null` or malformed is nobody's own.
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
