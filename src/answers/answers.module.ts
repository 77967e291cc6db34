import { Global, Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { Answers } from './answers.js';

/** Hands on the one budget of the process's answers, which the HTTP server has to know as well. */
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
