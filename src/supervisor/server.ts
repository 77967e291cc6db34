import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config/config.js';
import { createApp } from '../create-app.js';
import { HealthService } from '../health/health.service.js';
import { Connections } from '../http/connections/connections.js';
import type { Logger } from '../logging/logger.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { StartupError } from './startup.errors.js';

/** How long a connection must be quiet before a stop closes it: clients that ask again sooner are told by an answer. */
const QUIET_MS = 1000;

/** How long listening waits for the store. A store that takes longer is loading, and who asks whether we live has to be told. */
const MAX_WAIT_FOR_STORE_MS = 2000;

/** The longest delay of a timer in Node. */
const FOR_EVER_MS = 2 ** 31 - 1;

/**
 * After a burst, in which much is alive for long, V8 takes it that what the same code makes will always live long, and makes it
 * among the old from then on. There it holds each request's objects until the next full collection: the short collections took
 * 8 ms each instead of 1, for good, and a process 200 MB and more. V8 asks for this flag whenever it decides, so it can be set late.
 */
const V8_FLAG = '--no-allocation-site-pretenuring';

/** One process's HTTP server: listens, and stops without cutting off a request. */
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
    // What comes in between would be refused. A store that is away is no reason not to serve: its clients are told.
    await app
      .get(TarantoolClient)
      .whenConnected(Math.min(config.tarantool.timeoutMs, MAX_WAIT_FOR_STORE_MS))
      .catch(() => undefined);
    try {
      await app.listen(port, host);
    } catch (error) {
      await app.close();
      throw new StartupError(listenFailure(error as NodeJS.ErrnoException, host, port), { cause: error });
    }
    return new Server(app, config, logger);
  }

  /** The port that it got, where the configuration leaves it to the system. */
  get port(): number {
    return (this.app.getHttpServer().address() as AddressInfo).port;
  }

  /** Resolves when it is connected to the store, and never if that does not come about. */
  whenConnected(): Promise<void> {
    const connected = this.app.get(TarantoolClient).whenConnected(FOR_EVER_MS);
    return connected.catch(() => new Promise<never>(() => {}));
  }

  /**
   * Ready turns 503, listening stops, and requests in flight finish. Clients that go on asking are told that their connection is
   * closed, and quiet connections are closed.
   * @returns whether all of them finished within the configured time.
   */
  async stop(): Promise<boolean> {
    this.app.get(HealthService).startStopping();
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
