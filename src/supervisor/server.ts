import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config.js';
import { createApp } from '../create-app.js';
import { ChangeFeed } from '../feed/change-feed.js';
import { HealthService } from '../health/health.service.js';
import { Connections } from '../http/connections/connections.js';
import type { Logger } from '../logging/logger.js';
import { MetricsService } from '../metrics/metrics.service.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { StartupError } from './startup.errors.js';

/**
 * How long a connection must be idle before a stop closes it. A client that sends another request sooner is told in
 * the answer.
 */
const QUIET_MS = 1000;

/**
 * How long the server waits for the store before it listens. A store that takes longer is loading, and liveness
 * probes need an answer.
 */
const MAX_WAIT_FOR_STORE_MS = 2000;

/**
 * Connections that the system has made and no process has accepted yet. Node accepts one in each pass of its event
 * loop, so they wait for each other while passes are long. Node's default is 511. Where there is no room, the system
 * lets clients try again a second later. Linux applies the lower one of this and `net.core.somaxconn`, 4096 by default.
 */
const BACKLOG = 4096;

/** The longest delay of a timer in Node. */
const FOR_EVER_MS = 2 ** 31 - 1;

/**
 * V8 learns where to allocate objects. After a burst, in which many objects live long, it allocates objects of the
 * same code in the old generation from then on. There the objects of each request stay until the next full
 * collection. Short collections then took 8 ms instead of 1, permanently, and a process took 200 MB more. V8 reads
 * this flag at each such decision, so it can be set late.
 */
const V8_FLAG = '--no-allocation-site-pretenuring';

/** The HTTP server of one process. It stops without cutting off a request. */
export class Server {
  private constructor(
    private readonly app: NestFastifyApplication,
    private readonly config: Config,
    private readonly logger: Logger,
  ) {}

  /** @throws {StartupError} when it cannot listen. */
  static async start(config: Config, logger: Logger): Promise<Server> {
    setFlagsFromString(V8_FLAG);
    const app = await createApp(config, logger);
    const { host, port } = config.http;
    // Requests that arrive before the store is connected would be refused. A store that stays unreachable does not
    // keep the server from listening: its clients are told.
    await app
      .get(TarantoolClient)
      .whenConnected(Math.min(config.tarantool.timeoutMs, MAX_WAIT_FOR_STORE_MS))
      .catch(() => undefined);
    try {
      await app.listen({ port, host, backlog: BACKLOG });
    } catch (error) {
      await app.close();
      throw new StartupError(listenFailure(error as NodeJS.ErrnoException, host, port), { cause: error });
    }
    return new Server(app, config, logger);
  }

  /** The port on which it listens. The system chooses it where the configuration says 0. */
  get port(): number {
    return (this.app.getHttpServer().address() as AddressInfo).port;
  }

  /** Undefined where metrics are switched off. */
  get metrics(): MetricsService | undefined {
    return this.config.metrics ? this.app.get(MetricsService) : undefined;
  }

  /** Resolves when the process is connected to the store, and never if it never is. */
  whenConnected(): Promise<void> {
    const connected = this.app.get(TarantoolClient).whenConnected(FOR_EVER_MS);
    return connected.catch(() => new Promise<never>(() => {}));
  }

  /**
   * Stops: readiness turns 503, listening ends, and requests in flight finish. Clients that go on sending requests
   * are told that their connection is closed, and idle connections are closed.
   * @returns whether all requests finished within the configured time.
   */
  async stop(): Promise<boolean> {
    this.app.get(HealthService).startStopping();
    this.app.get(ChangeFeed).stop();
    const { shutdownTimeoutMs } = this.config.http;
    const timeout = AbortSignal.timeout(shutdownTimeoutMs);
    const expired = new Promise<false>((resolve) => {
      timeout.addEventListener('abort', () => resolve(false));
    });
    const finished = await Promise.race([this.drain(Math.min(QUIET_MS, shutdownTimeoutMs / 2)), expired]);
    if (!finished) this.logger.warn('requests were cut off at the end of SHUTDOWN_TIMEOUT');
    return finished;
  }

  private async drain(quietMs: number): Promise<true> {
    const fastify = this.app.getHttpAdapter().getInstance() as unknown as FastifyInstance;
    await Connections.of(fastify.server).drain(quietMs);
    await this.app.close();
    return true;
  }
}

function listenFailure({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is in use: stop what listens there, or set PORT`;
    case 'EACCES':
      return `port ${port} on ${host} may not be used by this user: set PORT`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine: set HOST`;
    default:
      return `cannot listen on ${host}:${port}: ${message}`;
  }
}
