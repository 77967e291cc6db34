import { Module } from '@nestjs/common';
import { ThrottlerModule } from '@nestjs/throttler';
import type { ThrottleConfig } from '../config/config.js';
import { THROTTLE } from '../config/config.tokens.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { ClientRate } from './client-rate.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';

@Module({
  imports: [
    ThrottlerModule.forRootAsync({
      inject: [THROTTLE, TarantoolClient],
      useFactory: ({ limit, windowMs }: ThrottleConfig, tarantool: TarantoolClient) => ({
        throttlers: [{ limit, ttl: windowMs }],
        storage: new TarantoolThrottlerStorage(tarantool),
      }),
    }),
  ],
  providers: [ClientRate],
  exports: [ThrottlerModule, ClientRate],
})
export class ThrottlingModule {}
