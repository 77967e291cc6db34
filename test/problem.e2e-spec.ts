import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { client } from './support/client.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

const { api } = client(() => service.url);

describe('Accept: application/problem+json (RFC 9457)', () => {
  it.each([
    [
      'get',
      '/kv/nobody',
      undefined,
      404,
      'key_not_found',
      'key not found',
      'There is no entry with this key.',
    ],
    ['get', '/nothing', undefined, 404, 'not_found', 'not found', 'There is no such path.'],
    [
      'put',
      '/kv',
      {},
      405,
      'method_not_allowed',
      'method not allowed',
      'The path has other methods: Allow lists them.',
    ],
    [
      'post',
      '/kv',
      { key: 'state', value: {} },
      409,
      'key_exists',
      'key already exists',
      'There is an entry with this key already.',
    ],
    [
      'get',
      '/kv?limit=0',
      undefined,
      400,
      'invalid_query',
      'invalid query',
      'A parameter of the query is unknown, given twice, or out of its range.',
    ],
  ] as const)(
    '%s %s is refused with the whole of it',
    async (method, path, body, status, code, message, detail) => {
      const { headers, text } = await api()
        [method](path)
        .set('Accept', 'application/problem+json')
        .send(body)
        .expect(status);
      expect(JSON.parse(text)).toEqual({
        type: `urn:problem-type:tarantool-kv:${code}`,
        title: message,
        status,
        detail,
        code,
        message,
      });
      expect(headers).toMatchObject({
        'content-type': 'application/problem+json; charset=utf-8',
        vary: 'Accept',
      });
    },
  );

  // Holds answer.no-more-members.
  it('keeps what else an aborted transaction says', async () => {
    const aborted = (accept: string) =>
      api()
        .post('/txn')
        .set('Accept', accept)
        .send({ compare: [{ key: 'state', exists: false }], success: [] })
        .expect(409);
    expect(JSON.parse((await aborted('application/problem+json')).text)).toEqual({
      type: 'urn:problem-type:tarantool-kv:transaction_aborted',
      title: 'transaction aborted',
      status: 409,
      detail: 'A comparison does not hold, or an operation was refused: nothing was applied.',
      code: 'transaction_aborted',
      message: 'transaction aborted',
      failed: [0],
    });
    expect((await aborted('*/*')).text).toBe('{"message":"transaction aborted","status":409,"failed":[0]}');
  });

  // Holds problem.asked-for, problem.not-of-successes.
  it('changes no success, and no refusal for who does not prefer it', async () => {
    await api()
      .get('/kv/state')
      .set('Accept', 'application/problem+json')
      .expect('Content-Type', 'application/json; charset=utf-8')
      .expect(200, { value: { status: 'ok' } });
    await api()
      .post('/batch')
      .set('Accept', 'application/problem+json')
      .send({ operations: [{ op: 'get', key: 'nobody' }] })
      .expect('Content-Type', 'application/json; charset=utf-8')
      .expect(200, { message: 'processed', status: 200, results: [answers.keyNotFound] });
    for (const accept of [
      '*/*',
      'application/json',
      'application/problem+json;q=0.5, application/json',
      'text/html',
    ]) {
      await api()
        .get('/kv/nobody')
        .set('Accept', accept)
        .expect('Content-Type', 'application/json; charset=utf-8')
        .expect(404, answers.keyNotFound);
    }
  });
});
