import type { FastifyInstance, onRequestHookHandler } from 'fastify';

/** Has the hook run before the routes of these methods. The others, reads above all, do not even pay for its call. */
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
