import type { FastifyReply } from 'fastify';

/** Adds to `Vary` a request field that the answer depends on (RFC 9110 §12.5.5). */
export function addVary(reply: FastifyReply, field: string): void {
  const present = reply.getHeader('Vary');
  void reply.header('Vary', present ? `${String(present)}, ${field}` : field);
}
