import { fastify } from 'fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LimitsConfig } from '../../config/config.js';
import { ClientAddresses } from '../connections/client-address.js';
import { SharedBudget } from '../shared-budget.js';
import { Turns } from '../turns.js';
import { isString, optional } from './checks.js';
import { deferBodies } from './defer-bodies.js';
import { JsonBodyPipe } from './json-body.pipe.js';

const MAX_BYTES = 1000;

class NamedDto {
  static readonly members = {
    name: isString,
    more: optional((member): member is never => member !== undefined),
  };
}
class TypedDto {
  static readonly mediaTypes = ['application/merge-patch+json', 'application/json-patch+json'];
  constructor(
    readonly mediaType: string,
    readonly document: unknown,
  ) {}
}
class BrokenDto {
  static get members(): never {
    throw new Error('a bug');
  }
}

/** Answers what the pipe makes of the body, for the DTO that the path names. */
let app: FastifyInstance;
const pipe = new JsonBodyPipe({ maxDepth: 1 } as LimitsConfig);
beforeAll(() => {
  app = fastify();
  deferBodies(app, {
    maxBytes: MAX_BYTES,
    budget: new SharedBudget(10_000),
    addresses: new ClientAddresses([]),
    turns: new Turns(),
  });
  for (const [path, metatype] of Object.entries({
    '/named': NamedDto,
    '/typed': TypedDto,
    '/broken': BrokenDto,
  })) {
    for (const method of ['PUT', 'POST', 'PATCH', 'DELETE']) {
      const handler = ({ body }: FastifyRequest): unknown => pipe.transform(body, { type: 'body', metatype });
      app.route({ method, url: path, handler });
    }
  }
  app.setErrorHandler((error: { code?: string; headers?: object; message: string }, _request, reply) =>
    reply.code(400).send({ code: error.code ?? error.message, fields: error.headers }),
  );
});
afterAll(() => app.close());

async function send(
  url: string,
  body: string | Buffer,
  fields: Record<string, string> = {},
): Promise<unknown> {
  return (await app.inject({ method: 'PUT', url, body, headers: fields })).json();
}

const type = (value: string): Record<string, string> => ({ 'content-type': value });

describe('the body of a DTO with members', () => {
  it.each<[string, Record<string, string>]>([
    ['without a media type', {}],
    ['as JSON', type('application/json')],
    ['as JSON in UTF-8', type('application/json; charset="utf-8"')],
    ['as a kind of JSON', type('application/a+json')],
    ['with no coding', { ...type('application/json'), 'content-encoding': 'identity' }],
  ])('is read %s', async (_name, fields) => {
    expect(await send('/named', '{"name":"a"}', fields)).toEqual({ name: 'a' });
  });

  it.each<[string, string, Record<string, string>]>([
    ['as text', '{"name":"a"}', type('text/plain')],
    ['in another charset', '{"name":"a"}', type('application/json; charset=latin1')],
    ['with a media type that is none', '{"name":"a"}', type('json')],
    ['with an empty media type', '{"name":"a"}', type('')],
  ])('is refused %s', async (_name, body, fields) => {
    expect(await send('/named', body, fields)).toEqual({ code: 'UNSUPPORTED_MEDIA_TYPE', fields: {} });
  });

  it('is refused when it is coded, and told which coding there is', async () => {
    const fields = { ...type('application/json'), 'content-encoding': 'gzip' };
    expect(await send('/named', '{"name":"a"}', fields)).toEqual({
      code: 'UNSUPPORTED_MEDIA_TYPE',
      fields: { 'Accept-Encoding': 'identity' },
    });
  });

  it.each(['', '{', '{"name":5}', '{"name":"a","other":1}', '[]', 'null'])(
    'is refused as %j',
    async (body) => {
      expect(await send('/named', body)).toEqual({ code: 'INVALID_BODY' });
    },
  );

  it('may be nested three levels deeper than a value, and no deeper', async () => {
    const nested = (depth: number): string =>
      `{"name":"a","more":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(await send('/named', nested(4))).toEqual({ name: 'a', more: [[[]]] });
    expect(await send('/named', nested(5))).toEqual({ code: 'INVALID_BODY' });
  });

  it('may have as many bytes as are allowed, and is refused unread when it says that it has more', async () => {
    const body = (bytes: number): string => `{"name":"${'x'.repeat(bytes - 11)}"}`;
    expect(await send('/named', body(MAX_BYTES))).toEqual({ name: 'x'.repeat(MAX_BYTES - 11) });
    for (const method of ['PUT', 'POST', 'PATCH'] as const) {
      const { statusCode, body: answer } = await app.inject({
        method,
        url: '/named',
        body: body(MAX_BYTES + 1),
      });
      expect([statusCode, JSON.parse(answer)]).toEqual([
        400,
        { code: 'BODY_TOO_LARGE', fields: { Connection: 'close' } },
      ]);
    }
  });

  it('is none where the method has none', async () => {
    const { body } = await app.inject({ method: 'DELETE', url: '/named', body: '{"name":"a"}' });
    expect(JSON.parse(body)).toEqual({ code: 'INVALID_BODY' });
  });

  it('passes on an error that is no refusal', async () => {
    expect(await send('/broken', '{}')).toEqual({ code: 'a bug' });
  });
});

describe('the body of a DTO with media types', () => {
  it('is read with its media type, and may be any JSON', async () => {
    expect(await send('/typed', '[1]', type('Application/JSON-Patch+json; charset=UTF-8'))).toEqual({
      mediaType: 'application/json-patch+json',
      document: [1],
    });
  });

  it.each([{}, type('application/json'), type('x')])(
    'is refused with %j, and told what it may be',
    async (fields) => {
      expect(await send('/typed', '{}', fields)).toEqual({
        code: 'UNSUPPORTED_MEDIA_TYPE',
        fields: { 'Accept-Patch': 'application/merge-patch+json, application/json-patch+json' },
      });
    },
  );

  it('is refused where it is no JSON', async () => {
    expect(await send('/typed', '{', type('application/merge-patch+json'))).toEqual({ code: 'INVALID_BODY' });
  });

  it('is refused when it is coded', async () => {
    const fields = { ...type('application/merge-patch+json'), 'content-encoding': 'br' };
    expect(await send('/typed', '{}', fields)).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });
});

describe('what is no body', () => {
  it('passes unchanged', () => {
    const argument = { a: 1 };
    expect(pipe.transform(argument, { type: 'param', metatype: NamedDto })).toBe(argument);
    expect(pipe.transform(argument, { type: 'body' })).toBe(argument);
  });
});
