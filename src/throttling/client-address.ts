import { normalizeIp } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { isIP } from 'node:net';

/** An IPv6 customer is given a /64 at least (RFC 6177 §2), and could change its address within it at will. */
const IPV6_PREFIX_BITS = 64;

/** What a client is to the limiter. What a trusted proxy forwarded counts only where it is an address at all. */
export function clientAddress({ ip, socket }: FastifyRequest): string {
  return normalizeIp(isIP(ip) ? ip : (socket.remoteAddress ?? ''), IPV6_PREFIX_BITS);
}
