import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AccessModule, accessGuards } from './access/access.module.js';
import type { Answers } from './answers/answers.js';
import { AnswersModule } from './answers/answers.module.js';
import type { Config } from './config/config.js';
import { configModule } from './config/config.module.js';
import { HealthModule } from './health/health.module.js';
import { ErrorFilter } from './http/error.filter.js';
import { JsonBodyPipe } from './http/bodies/json-body.pipe.js';
import { ChangesModule } from './changes/changes.module.js';
import { FeedModule } from './feed/feed.module.js';
import { BatchModule } from './batch/batch.module.js';
import { KvModule } from './kv/kv.module.js';
import { ListingModule } from './listing/listing.module.js';
import type { Logger } from './logging/logger.js';
import { LoggingModule } from './logging/logging.module.js';
import { MetricsModule } from './metrics/metrics.module.js';
import type { ServerFigures } from './metrics/process-metrics.js';
import { TarantoolModule } from './tarantool/tarantool.module.js';
import { ClientThrottlerGuard } from './throttling/client-throttler.guard.js';
import { ThrottlingModule } from './throttling/throttling.module.js';

/** The composition root: the parts that a request passes, in the order in which it passes them. */
@Module({})
export class AppModule {
  static with(config: Config, logger: Logger, answers: Answers, server: ServerFigures): DynamicModule {
    return {
      module: AppModule,
      imports: [
        configModule(config),
        LoggingModule.with(logger),
        TarantoolModule,
        AnswersModule.with(answers),
        AccessModule.with(config.access),
        ThrottlingModule,
        KvModule,
        ListingModule,
        BatchModule,
        FeedModule,
        ChangesModule,
        HealthModule,
        MetricsModule.with(config.metrics, server),
      ],
      providers: [
        // 1. Where tokens are needed, this guard tells whose token a request shows, and refuses requests without one.
        ...accessGuards(config.access),
        // 2. This guard counts the request to the rate of its token or address, before anything of its body is read.
        { provide: APP_GUARD, useClass: ClientThrottlerGuard },
        // 3. The pipe reads the body, parses it and checks it against the DTO of the controller's method.
        { provide: APP_PIPE, useClass: JsonBodyPipe },
        // 4. The controller answers. The filter turns whatever fails on the way into an answer.
        { provide: APP_FILTER, useClass: ErrorFilter },
      ],
    };
  }
}
