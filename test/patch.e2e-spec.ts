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

const { api, insert, newKey } = client(() => service.url);

describe('PATCH /kv/:key', () => {
  const patch = (key: string, type: string, body: unknown) =>
    api()
      .patch(`/kv/${key}`)
      .type(type)
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  const MERGE = 'application/merge-patch+json';
  const JSON_PATCH = 'application/json-patch+json';

  // Holds patch.merge.
  it('merges (RFC 7396)', async () => {
    const key = newKey();
    await insert(key, { a: 'b', c: { d: 'e', f: 'g' }, n: 1 });
    await patch(key, MERGE, { a: 'z', c: { f: null }, list: [1] }).expect(200, answers.updated);
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { a: 'z', c: { d: 'e' }, n: 1, list: [1] } });
  });

  // Holds patch.json-patch.
  it('applies all operations in order (RFC 6902)', async () => {
    const key = newKey();
    await insert(key, { list: [1, 3], from: { a: 1 } });
    await patch(key, JSON_PATCH, [
      { op: 'test', path: '/list/0', value: 1 },
      { op: 'add', path: '/list/1', value: 2 },
      { op: 'move', from: '/from', path: '/to' },
      { op: 'copy', from: '/to/a', path: '/b' },
      { op: 'replace', path: '/to/a', value: null },
      { op: 'remove', path: '/list/0' },
    ]).expect(200, answers.updated);
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { list: [2, 3], to: { a: null }, b: 1 } });
  });

  // Holds patch.json-patch, patch.test-fails, patch.malformed.
  it.each([
    ['a failed test', JSON_PATCH, [{ op: 'test', path: '/a', value: 2 }], 409, answers.patchTestFailed],
    ['a path that is not there', JSON_PATCH, [{ op: 'remove', path: '/none' }], 400, answers.invalidBody],
    ['an index that is none', JSON_PATCH, [{ op: 'add', path: '/l/x', value: 1 }], 400, answers.invalidBody],
    [
      'an index beyond the end',
      JSON_PATCH,
      [{ op: 'add', path: '/l/9', value: 1 }],
      400,
      answers.invalidBody,
    ],
    [
      'an index with a leading zero',
      JSON_PATCH,
      [{ op: 'add', path: '/l/00', value: 1 }],
      400,
      answers.invalidBody,
    ],
    [
      'what an array is not made of',
      JSON_PATCH,
      [{ op: 'copy', from: '/l/length', path: '/n' }],
      400,
      answers.invalidBody,
    ],
    [
      'what every object has',
      JSON_PATCH,
      [{ op: 'copy', from: '/toString', path: '/n' }],
      400,
      answers.invalidBody,
    ],
    [
      'removing what every object has',
      JSON_PATCH,
      [{ op: 'remove', path: '/valueOf' }],
      400,
      answers.invalidBody,
    ],
    [
      'an escape that is none',
      JSON_PATCH,
      [{ op: 'test', path: '/a~2', value: 1 }],
      400,
      answers.invalidBody,
    ],
    ['a move into itself', JSON_PATCH, [{ op: 'move', from: '/l', path: '/l/0' }], 400, answers.invalidBody],
    [
      'an operation that is inherited',
      JSON_PATCH,
      [{ op: 'toString', path: '/a' }],
      400,
      answers.invalidBody,
    ],
    [
      'copies that double the value again and again',
      JSON_PATCH,
      Array.from({ length: 40 }, (_, i) => ({ op: 'copy', from: '', path: `/x${i}` })),
      413,
      answers.tooLarge,
    ],
    ['an operation that is none', JSON_PATCH, [{ op: 'frob', path: '/a' }], 400, answers.invalidBody],
    ['an operation without a value', JSON_PATCH, [{ op: 'add', path: '/a' }], 400, answers.invalidBody],
    ['no array of operations', JSON_PATCH, { op: 'add' }, 400, answers.invalidBody],
    [
      'a result that is no object',
      JSON_PATCH,
      [{ op: 'replace', path: '', value: [] }],
      400,
      answers.invalidBody,
    ],
    ['a merge to no object', MERGE, [1], 400, answers.invalidBody],
    ['a broken body', MERGE, '{"a":', 400, answers.invalidBody],
  ])('refuses %s, and changes nothing', async (_what, type, body, status, answer) => {
    const key = newKey();
    await insert(key, { a: 1, l: [1] });
    await patch(key, type, body).expect(status, answer);
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { a: 1, l: [1] } });
  });

  // Holds patch.media-types.
  it('answers 415 with Accept-Patch to another media type', async () => {
    const { headers } = await patch('state', 'application/json', '{}').expect(
      415,
      answers.unsupportedMediaType,
    );
    expect(headers['accept-patch']).toBe('application/merge-patch+json, application/json-patch+json');
  });

  it('answers 404 when the key does not exist', async () => {
    await patch('missing', MERGE, {}).expect(404, answers.keyNotFound);
  });

  // Holds patch.rest-untouched.
  it('keeps exactly what it does not touch, and what it moves', async () => {
    const key = newKey();
    const value =
      '{"big":18446744073709551615,"__proto__":{"a":1},"constructor":{"name":"Date"},"hasOwnProperty":1,"toJSON":{},"$toJSON":2}';
    await api().post('/kv').type('application/json').send(`{"key":"${key}","value":${value}}`).expect(200);
    await patch(key, MERGE, '{"n":{"__proto__":9007199254740993}}').expect(200);
    await patch(key, JSON_PATCH, [
      { op: 'copy', from: '/big', path: '/copy' },
      { op: 'replace', path: '/constructor/name', value: 'Map' },
      { op: 'remove', path: '/toJSON' },
    ]).expect(200);
    const { text } = await api().get(`/kv/${key}`).expect(200);
    expect(text).toBe(
      '{"value":{"big":18446744073709551615,"__proto__":{"a":1},"constructor":{"name":"Map"},"hasOwnProperty":1,"$toJSON":2,' +
        '"n":{"__proto__":9007199254740993},"copy":18446744073709551615}}',
    );
  });
});
