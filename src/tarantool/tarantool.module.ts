import { Global, Inject, Module } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { Config } from '../config/config.js';
import { LOGGER } from '../logging/logger.js';
import type { Logger } from '../logging/logger.js';
import { TarantoolClient } from './tarantool-client.js';

/** One connection for the process: it carries as much as several. */
@Global()
@Module({
  providers: [
    {
      provide: TarantoolClient,
      inject: [ConfigService, LOGGER],
      useFactory: (config: ConfigService<Config, true>, logger: Logger) => {
        const { host, port, user, password, timeoutMs } = config.get('tarantool', { infer: true });
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

  /** After the HTTP server has closed: requests in flight still need it. */
  onApplicationShutdown(): Promise<void> {
    return this.client.close();
  }
}
