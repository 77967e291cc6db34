import { Controller, Get, HttpException, Module, Param } from '@nestjs/common';
import { APP_FILTER, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { KvError } from '../entries/kv.errors.js';
import { LOGGER } from '../logging/logger.js';
import { collectRoutes } from './allowed-methods.js';
import { ErrorFilter } from './error.filter.js';
import { HttpError } from './http.errors.js';

const CAUSE = { message: 'what a framework says' };

@Controller('refused')
class RefusingController {
  @Get(':status')
  get(@Param('status') status: string): void {
    throw new HttpException(CAUSE.message, Number(status));
  }
}

/** What our own code throws. */
const OWN: Readonly<Record<string, unknown>> = {
  missing: new KvError('KEY_NOT_FOUND'),
  changed: new KvError('PRECONDITION_FAILED', { presentVersion: 7 }),
  gone: new KvError('PRECONDITION_FAILED'),
  aborted: new KvError('TRANSACTION_ABORTED', { failed: [0, 2] }),
  method: new HttpError('METHOD_NOT_ALLOWED', { Allow: 'GET' }),
  unavailable: new KvError('STORAGE_UNAVAILABLE'),
  unauthorized: new KvError('UNAUTHORIZED'),
  unknown: new KvError('OUTCOME_UNKNOWN'),
  version: new HttpError('VERSION_NOT_SUPPORTED'),
  bug: new TypeError('a bug'),
  text: 'thrown text',
};

@Controller('own')
class OwnController {
  @Get(':name')
  get(@Param('name') name: string): void {
    throw OWN[name];
  }
}

const logged: string[] = [];
const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });

@Module({
  controllers: [RefusingController, OwnController],
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

describe('a failure of our own', () => {
  const NAMES = ['allow', 'etag', 'kv-version', 'retry-after', 'vary', 'www-authenticate'];
  it.each<[string, number, object, object]>([
    ['missing', 404, { message: 'key not found' }, {}],
    ['changed', 412, { message: 'precondition failed' }, { etag: '"7"', 'kv-version': '7' }],
    ['gone', 412, { message: 'precondition failed' }, {}],
    ['aborted', 409, { message: 'transaction aborted', failed: [0, 2] }, {}],
    ['method', 405, { message: 'method not allowed' }, { allow: 'GET' }],
    ['unavailable', 503, { message: 'storage unavailable' }, { 'retry-after': '1' }],
    ['unauthorized', 401, { message: 'unauthorized' }, { 'www-authenticate': 'Bearer' }],
    ['bug', 500, { message: 'internal server error' }, {}],
    ['text', 500, { message: 'internal server error' }, {}],
  ])('%s is answered %i', async (name, status, body, fields) => {
    const { statusCode, headers, ...answer } = await app.inject(`/own/${name}`);
    const shown = Object.fromEntries(Object.entries(headers).filter(([field]) => NAMES.includes(field)));
    expect([statusCode, answer.json(), shown, headers['content-type']]).toEqual([
      status,
      { ...body, status },
      { vary: 'Accept', ...fields },
      'application/json; charset=utf-8',
    ]);
  });

  it('has problem details for clients that prefer them', async () => {
    const answer = await app.inject({ url: '/own/aborted', headers: { accept: 'application/problem+json' } });
    expect([answer.statusCode, answer.headers['content-type'], answer.json()]).toEqual([
      409,
      'application/problem+json; charset=utf-8',
      {
        type: 'urn:problem-type:tarantool-kv:transaction_aborted',
        title: 'transaction aborted',
        status: 409,
        detail: 'A comparison does not hold, or an operation was refused: nothing was applied.',
        code: 'transaction_aborted',
        message: 'transaction aborted',
        failed: [0, 2],
      },
    ]);
  });

  it('is logged where it is no fault of the client', async () => {
    logged.length = 0;
    for (const name of ['missing', 'version', 'unavailable', 'unknown', 'bug'])
      await app.inject(`/own/${name}`);
    expect(logged.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'storage unavailable',
      'outcome unknown',
      'internal server error',
    ]);
  });
});

describe('a failure that is repeated', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('is logged ten times in a second', () => {
    const filter = new ErrorFilter(log);
    const reply = { header: () => reply, code: () => reply, getHeader: () => undefined, send: () => reply };
    const http = { getRequest: () => ({ id: 'id', headers: {} }), getResponse: () => reply };
    logged.length = 0;
    for (let i = 0; i < 20; i++) filter.catch(OWN['bug'], { switchToHttp: () => http } as never);
    expect(logged).toHaveLength(10);
  });
});
