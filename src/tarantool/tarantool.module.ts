import { Global, Inject, Module } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import type { TarantoolConfig } from '../config/config.js';
import { TARANTOOL } from '../config/config.tokens.js';
import { LOGGER } from '../logging/logger.js';
import type { Logger } from '../logging/logger.js';
import { TarantoolClient } from './tarantool-client.js';

/** Each process has one connection to Tarantool, which carries as much as several. */
@Global()
@Module({
  providers: [
    {
      provide: TarantoolClient,
      inject: [TARANTOOL, LOGGER],
      useFactory: (config: TarantoolConfig, logger: Logger) => {
        const { host, port, user, password, timeoutMs } = config;
        const onStateChange = (connected: boolean, cause?: Error): void => {
          if (connected) logger.info({ host, port }, 'connected to Tarantool');
          else logger.warn({ host, port, reason: cause?.message }, 'no connection to Tarantool');
        };
        const client = new TarantoolClient({ host, port, user, password, timeoutMs, onStateChange });
        client.connect();
        return client;
      },
    },
  ],
  exports: [TarantoolClient],
})
export class TarantoolModule implements OnApplicationShutdown {
  constructor(@Inject(TarantoolClient) private readonly client: TarantoolClient) {}

  /** Runs after the HTTP server has closed, because requests in flight still need the connection. */
  onApplicationShutdown(): Promise<void> {
    return this.client.close();
  }
}
