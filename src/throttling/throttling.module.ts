import { Module } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { ThrottlerModule } from '@nestjs/throttler';
import type { Config } from '../config/config.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { ClientRate } from './client-rate.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';

@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [ConfigService, TarantoolClient],
      useFactory: (config: ConfigService<Config, true>, tarantool: TarantoolClient) => {
        const { limit, windowMs } = config.get('throttle', { infer: true });
        return {
          throttlers: [{ limit, ttl: windowMs }],
          storage: new TarantoolThrottlerStorage(tarantool),
        };
      },
    }),
  ],
  providers: [ClientRate],
  exports: [ThrottlerModule, ClientRate],
})
export class ThrottlingModule {}
