import { Controller, Get, Module } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SkipThrottle, ThrottlerModule } from '@nestjs/throttler';
import type { FastifyRequest } from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ClientRate } from './client-rate.js';
import { ClientThrottlerGuard } from './client-throttler.guard.js';

@Controller('skipped')
@SkipThrottle()
class SkippedController {
  @Get('all')
  all(): string {
    return 'passed';
  }

  @SkipThrottle({ default: false })
  @Get('but')
  but(): string {
    return 'passed';
  }
}

@Controller('counted')
class CountedController {
  @Get('one')
  one(): string {
    return 'passed';
  }

  @SkipThrottle()
  @Get('not')
  not(): string {
    return 'passed';
  }
}

/** What the guard asks of the rate, by path. */
let asked: string[];
/** What counting a request returns. */
let counted: Promise<void> | undefined;
const rate = {
  charge: ({ url }: FastifyRequest) => {
    asked.push(`charge ${url}`);
    return counted;
  },
  leaveOut: ({ url }: FastifyRequest) => void asked.push(`leave out ${url}`),
};

@Module({
  imports: [ThrottlerModule.forRoot([{ limit: 1, ttl: 1000 }])],
  controllers: [SkippedController, CountedController],
  providers: [
    { provide: APP_GUARD, useClass: ClientThrottlerGuard },
    { provide: ClientRate, useValue: rate },
  ],
})
class GuardedModule {}

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await NestFactory.create<NestFastifyApplication>(GuardedModule, new FastifyAdapter(), {
    logger: false,
  });
  await app.init();
});
afterAll(() => app.close());
beforeEach(() => {
  asked = [];
  counted = undefined;
});

describe('the guard', () => {
  it.each([
    ['/counted/one', 'charge /counted/one'],
    ['/counted/not', 'leave out /counted/not'],
    ['/skipped/all', 'leave out /skipped/all'],
    ['/skipped/but', 'charge /skipped/but'],
  ])('%s: %s, each time', async (path, call) => {
    for (let i = 0; i < 2; i++) expect((await app.inject(path)).body).toBe('passed');
    expect(asked).toEqual([call, call]);
  });

  it('waits until a request is counted, and passes on why it is refused', async () => {
    counted = Promise.resolve();
    expect((await app.inject('/counted/one')).body).toBe('passed');
    counted = Promise.reject(new Error('refused'));
    expect((await app.inject('/counted/one')).statusCode).toBe(500);
  });
});
