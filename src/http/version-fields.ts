import type { FastifyReply } from 'fastify';

/**
 * Sets the fields that show an entry's version. `KV-Version` holds the same as `ETag`, in a form that no proxy
 * changes. Proxies that compress turn `"1742"` into `W/"1742"` or `"1742-gzip"`.
 */
export function showVersion(reply: FastifyReply, version: number): void {
  void reply.header('etag', `"${version}"`).header('kv-version', String(version));
}
