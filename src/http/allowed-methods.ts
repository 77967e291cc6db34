import type { FastifyInstance, FastifyRequest } from 'fastify';

interface Route {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

const routesOf = new WeakMap<object, Map<string, Route>>();

/**
 * Records each route as it is registered, so that a path that exists under other methods is answered 405 and not 404.
 */
export function collectRoutes(fastify: FastifyInstance): void {
  const routes = new Map<string, Route>();
  routesOf.set(fastify.server, routes);
  fastify.addHook('onRoute', ({ url, method }) => {
    const pattern = new RegExp(`^${url.replaceAll(/:[^/]+/g, '[^/]+')}$`);
    const route = routes.get(url) ?? { pattern, methods: new Set() };
    for (const name of [method].flat()) route.methods.add(name);
    routes.set(url, route);
  });
}

/**
 * The value of `Allow` (RFC 9110 §10.2.1) for the request's path; for `*` the methods of all paths. Undefined when no
 * route has the path.
 */
export function allowedMethods(request: FastifyRequest): string | undefined {
  const path = request.url.split('?', 1)[0] ?? '';
  const methods = [...(routesOf.get(request.server.server)?.values() ?? [])]
    .filter(({ pattern }) => path === '*' || pattern.test(path))
    .flatMap((route) => [...route.methods]);
  return methods.length > 0 ? [...new Set(methods)].toSorted().join(', ') : undefined;
}
