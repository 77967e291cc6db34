import { Global, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { LOGGER } from './logger.js';
import type { Logger } from './logger.js';

@Global()
@Module({})
export class LoggingModule {
  static with(logger: Logger): DynamicModule {
    return { module: LoggingModule, providers: [{ provide: LOGGER, useValue: logger }], exports: [LOGGER] };
  }
}
