import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { Answers } from './answers/answers.js';
import { boundedResponse } from './answers/bounded-response.js';
import { AppModule } from './app.module.js';
import type { Config } from './config/config.js';
import { collectRoutes } from './http/allowed-methods.js';
import { refuseOtherHosts } from './http/browsers/allowed-hosts.js';
import { addCommonHeaders } from './http/common-headers.js';
import { addCorsFields } from './http/browsers/cors.js';
import { answerPreflights } from './http/browsers/preflights.js';
import { refuseCrossOrigin } from './http/browsers/cross-origin.js';
import { tellEndedRequests } from './http/ended-requests.js';
import { fastifyOptions } from './http/fastify-options.js';
import { deferBodies } from './http/bodies/defer-bodies.js';
import { ConnectionLimit } from './http/connections/connection-limit.js';
import { Connections } from './http/connections/connections.js';
import { WrittenAnswers } from './http/connections/written-answers.js';
import { logRequests } from './http/request-log.js';
import { SharedBudget } from './http/shared-budget.js';
import type { Logger } from './logging/logger.js';
import { NestLogger } from './logging/nest-logger.js';
import { ClientRate } from './throttling/client-rate.js';

/** Memory of a process for what its clients have sent in many small parts and is not parsed yet. */
const MAX_DENSE_BYTES = 16 * 1024 * 1024;

/** Builds the application, ready to listen. Production and every end-to-end test build the same one. */
export async function createApp(config: Config, logger: Logger): Promise<NestFastifyApplication> {
  const answers = new Answers(config);
  const written = new WrittenAnswers(config.http.corsOrigins);
  const { addresses, turns } = answers;
  const limit = new ConnectionLimit(config.limits.maxConnections, written, logger);
  const connections = new Connections(limit, addresses, written, {
    turns,
    budget: new SharedBudget(MAX_DENSE_BYTES),
  });
  const adapter = new FastifyAdapter(fastifyOptions(config, boundedResponse(answers), connections));
  const fastify = adapter.getInstance<FastifyInstance>();
  // Known from the beginning, these members cost nothing. Added later, they make each request slower.
  fastify.decorateRequest('access');
  fastify.decorateRequest('tokenId');
  collectRoutes(fastify);
  addCorsFields(fastify, config.http.corsOrigins);
  addCommonHeaders(fastify);
  logRequests(fastify, logger);
  tellEndedRequests(fastify);
  refuseOtherHosts(fastify, config.http.allowedHosts);
  answerPreflights(fastify, config.http.corsOrigins);
  refuseCrossOrigin(fastify, config.http.corsOrigins);
  const bodies = new SharedBudget(config.limits.maxBodiesBytes);
  deferBodies(fastify, {
    maxBytes: config.limits.maxBodyBytes,
    budget: bodies,
    addresses,
    turns,
  });

  const server = {
    get connections(): number {
      return limit.open;
    },
    get bodiesBytes(): number {
      return bodies.held;
    },
  };
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.with(config, logger, answers, server),
    adapter,
    {
      bodyParser: false,
      logger: new NestLogger(logger),
    },
  );
  app.get(ClientRate).watch(fastify);
  return app.init();
}
