import type { FastifyInstance, onRequestHookHandler } from 'fastify';

/**
 * Runs the hook before the routes of these methods. Routes of other methods, above all reads, do not pay even for the
 * call.
 */
export function hookRoutes(
  fastify: FastifyInstance,
  methods: ReadonlySet<string>,
  hook: onRequestHookHandler,
): void {
  fastify.addHook('onRoute', (route) => {
    if ([route.method].flat().some((method) => methods.has(method))) {
      route.onRequest = [route.onRequest ?? [], hook].flat();
    }
  });
}
