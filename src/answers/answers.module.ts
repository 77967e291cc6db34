import { Global, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Answers } from './answers.js';

/** Provides the one budget of the process's answers. The HTTP server needs the same budget. */
@Global()
@Module({})
export class AnswersModule {
  static with(answers: Answers): DynamicModule {
    return {
      module: AnswersModule,
      providers: [{ provide: Answers, useValue: answers }],
      exports: [Answers],
    };
  }
}
