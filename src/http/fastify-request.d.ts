import 'fastify';

declare module 'fastify' {
  interface FastifyRequest {
    /** The id of the valid token that the request shows. It is no secret. Undefined where there is none. */
    tokenId?: string;
  }
}
