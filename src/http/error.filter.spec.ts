import { Controller, Get, HttpException, Module, Param } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LOGGER } from '../logging/logger.js';
import { collectRoutes } from './allowed-methods.js';
import { ErrorFilter } from './error.filter.js';

const CAUSE = { message: 'what a framework says' };

@Controller('refused')
class RefusingController {
  @Get(':status')
  get(@Param('status') status: string): void {
    throw new HttpException(CAUSE.message, Number(status));
  }
}

const logged: string[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });

@Module({
  controllers: [RefusingController],
  providers: [
    { provide: APP_FILTER, useClass: ErrorFilter },
    { provide: LOGGER, useValue: log },
  ],
})
class RefusingModule {}

let app: NestFastifyApplication;
beforeAll(async () => {
  const adapter = new FastifyAdapter();
  collectRoutes(adapter.getInstance<FastifyInstance>());
  app = await NestFactory.create<NestFastifyApplication>(RefusingModule, adapter, { logger: false });
  await app.init();
});
afterAll(() => app.close());

describe('a refusal by the frameworks', () => {
  it.each([
    [400, 400, 'malformed request'],
    [401, 401, 'unauthorized'],
    [403, 403, 'forbidden'],
    [409, 409, 'conflict'],
    [413, 413, 'request body too large'],
    [414, 414, 'uri too long'],
    [415, 415, 'unsupported media type'],
    [422, 422, 'unprocessable entity'],
    [500, 500, 'internal server error'],
    [501, 501, 'not implemented'],
    [503, 503, 'service unavailable'],
    [200, 500, 'internal server error'],
    [499, 500, 'internal server error'],
  ])('%i is answered %i %j', async (refused, status, message) => {
    const answer = await app.inject(`/refused/${refused}`);
    expect([answer.statusCode, answer.json()]).toEqual([status, { message, status }]);
  });

  it('has problem details without a code where it has none (RFC 9457 §4.2.1)', async () => {
    const headers = { accept: 'application/problem+json' };
    const answer = await app.inject({ url: '/refused/403', headers });
    expect(answer.json()).toEqual({
      type: 'about:blank',
      title: 'forbidden',
      status: 403,
      message: 'forbidden',
    });
  });

  // Holds caller.500.
  it('is logged with its cause and the stack where it is ours', async () => {
    logged.length = 0;
    for (const status of [403, 501, 503, 500]) await app.inject(`/refused/${status}`);
    expect(logged.map((line) => JSON.parse(line) as object)).toMatchObject([
      { level: 40, msg: 'service unavailable', reqId: expect.any(String), err: CAUSE },
      {
        level: 50,
        msg: 'internal server error',
        reqId: expect.any(String),
        err: { ...CAUSE, stack: expect.stringContaining('RefusingController.get') },
      },
    ]);
  });

  it('says first that no route has the method, or the path', async () => {
    const answer = await app.inject({ method: 'QUERY', url: '/refused/403' });
    expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'GET, HEAD']);
    expect((await app.inject('/nothing')).json()).toEqual({ message: 'not found', status: 404 });
  });
});
