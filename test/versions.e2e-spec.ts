import type request from 'supertest';
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

const { api, newKey } = client(() => service.url);
const versionOf = (tag: string | undefined): number => Number(/^"(\d+)"$/.exec(tag ?? '')?.[1]);

async function insert(key: string, value: object = {}): Promise<string> {
  const { headers } = await api().post('/kv').send({ key, value }).expect(200, answers.inserted);
  return headers['etag'] ?? '';
}

/** Each value is sent in a line of its own, which superagent's types do not know. */
const lines = (...fields: string[]) => fields as unknown as string;

describe('a version', () => {
  // Holds version.one-number-that-grows, version.of-last-change, version.etag, version.kv-version.
  // Holds patch.always-a-revision.
  it('is shown by every answer that has one, and grows with every change', async () => {
    const key = newKey();
    const tags = [await insert(key)];
    const written = [
      await api().put(`/kv/${key}`).send({ value: {} }).expect(200),
      await api().patch(`/kv/${key}`).type('application/merge-patch+json').send('{}').expect(200),
      await api().put(`/kv/${key}?upsert=true`).send({ value: {} }).expect(200),
    ];
    for (const { headers } of written) {
      expect(`"${headers['kv-version']}"`).toBe(headers['etag']);
      tags.push(headers['etag'] ?? '');
    }
    await api().delete(`/kv/${key}`).expect(200);
    tags.push(await insert(key));
    const versions = tags.map(versionOf);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(new Set(versions).size).toBe(versions.length);

    for (const method of ['get', 'head'] as const) {
      const { headers } = await api()[method](`/kv/${key}`).expect(200);
      expect(headers).toMatchObject({
        etag: tags.at(-1),
        'kv-version': tags.at(-1)?.slice(1, -1),
        'cache-control': 'no-cache',
      });
    }
  });
});

describe('If-None-Match on GET', () => {
  // Holds version.if-none-match-304, version.kv-version, status.304.
  it('answers 304 without a body when the client has the version', async () => {
    const key = newKey();
    const tag = await insert(key);
    for (const field of [tag, `W/${tag}`, `"other", ${tag}`, '*']) {
      const { text, headers } = await api().get(`/kv/${key}`).set('If-None-Match', field).expect(304);
      expect([text, headers['etag'], headers['kv-version']]).toEqual(['', tag, tag.slice(1, -1)]);
    }
    await api().head(`/kv/${key}`).set('If-None-Match', tag).expect(304);
  });

  // Holds version.if-none-match-304.
  it('answers 200 when it has another, and 404 when there is none', async () => {
    const key = newKey();
    await insert(key);
    await api().get(`/kv/${key}`).set('If-None-Match', '"1", W/"x"').expect(200, { value: {} });
    await api().get('/kv/missing').set('If-None-Match', '*').expect(404, answers.keyNotFound);
  });
});

describe('If-Match', () => {
  const put = (key: string, field: string) =>
    api()
      .put(`/kv/${key}`)
      .set('If-Match', field)
      .send({ value: { a: 1 } });

  // Holds version.if-match.
  it('lets a write through when the version is the present one', async () => {
    const key = newKey();
    let tag = await insert(key);
    for (const field of [() => tag, () => `"1", ${tag}`, () => '*']) {
      tag = (await put(key, field()).expect(200, answers.updated)).headers['etag'] ?? '';
    }
    await api().delete(`/kv/${key}`).set('If-Match', tag).expect(200, answers.deleted);
  });

  // Holds version.412, version.etag, version.kv-version, version.foreign-tags, patch.if-match, status.412.
  it.each(['"1"', '""', '"not-a-version"', '"1", "2"'])(
    '%s loses with 412 and the present tag',
    async (field) => {
      const key = newKey();
      const tag = await insert(key);
      const lost = [
        await put(key, field),
        await api().delete(`/kv/${key}`).set('If-Match', field),
        await api()
          .patch(`/kv/${key}`)
          .set('If-Match', field)
          .type('application/merge-patch+json')
          .send('{}'),
      ];
      for (const { status, body, headers } of lost) {
        expect(headers['kv-version']).toBe(tag.slice(1, -1));
        expect([status, body, headers['etag']]).toEqual([412, answers.preconditionFailed, tag]);
      }
      await api().get(`/kv/${key}`).expect(200, { value: {} });
    },
  );

  // Holds version.weak-tags.
  it('matches a tag of ours that was weakened on its way', async () => {
    const key = newKey();
    const weak = `W/${await insert(key)}`;
    const { headers } = await api()
      .patch(`/kv/${key}`)
      .set('If-Match', weak)
      .type('application/merge-patch+json')
      .send('{}')
      .expect(200, answers.updated);
    await put(key, weak).expect(412, answers.preconditionFailed);
    await put(key, `W/${headers['etag']}`).expect(200, answers.updated);
    await api().get(`/kv/${key}`).set('If-Match', weak).expect(412, answers.preconditionFailed);
    await api().delete(`/kv/${key}`).set('If-Match', weak).expect(412, answers.preconditionFailed);
  });

  // Holds version.if-match-on-read.
  it('on GET and HEAD is 412 where the entry has another version (RFC 9110 §13.1.1)', async () => {
    const key = newKey();
    const tag = await insert(key);
    const lost = await api().get(`/kv/${key}`).set('If-Match', '"1"').expect(412, answers.preconditionFailed);
    expect(lost.headers).toMatchObject({ etag: tag, 'kv-version': tag.slice(1, -1) });
    await api().head(`/kv/${key}`).set('If-Match', '"1"').expect(412);
    await api().get(`/kv/${key}`).set('If-Match', `"1", ${tag}`).expect(200, { value: {} });
    await api().get(`/kv/${key}`).set('If-Match', '*').expect(200, { value: {} });
  });

  // Holds version.if-match-on-read.
  it('on GET comes before If-None-Match (RFC 9110 §13.2.2)', async () => {
    const key = newKey();
    const tag = await insert(key);
    const get = (ifMatch: string) =>
      api().get(`/kv/${key}`).set('If-Match', ifMatch).set('If-None-Match', tag);
    await get('"1"').expect(412, answers.preconditionFailed);
    await get(tag).expect(304, '');
  });

  // Holds version.missing-key-404.
  it('on GET leaves a missing key a 404, and malformed is 400', async () => {
    await api().get('/kv/missing').set('If-Match', '*').expect(404, answers.keyNotFound);
    await api().get('/kv/missing').set('If-Match', '"1"').expect(404, answers.keyNotFound);
    await api().get('/kv/state').set('If-Match', '1').expect(400, answers.invalidPrecondition);
    await api().get('/kv/state').set('If-None-Match', '1').expect(400, answers.invalidPrecondition);
  });

  // Holds version.tag-list, version.tag-bounds.
  it('may come in several lines', async () => {
    const key = newKey();
    const tag = await insert(key);
    await api()
      .put(`/kv/${key}`)
      .set('If-Match', lines('"a,b"', '', `"1",,${tag}`))
      .send({ value: {} })
      .expect(200, answers.updated);
    await api().put(`/kv/${key}`).set('If-Match', lines('*', '*')).send({ value: {} }).expect(400);
  });

  // Holds version.missing-key-404.
  it('leaves a missing key a 404', async () => {
    await put('missing', '*').expect(404, answers.keyNotFound);
    await put('missing', '"1"').expect(404, answers.keyNotFound);
  });

  // Holds status.400-precondition.
  it.each(['1742', '"1', 'W/1', '"a" "b"', '*, "1"', '"1", *', 'w/"1"', '"a"b'])(
    '%s is malformed: 400',
    async (field) => {
      const key = newKey();
      await insert(key);
      await put(key, field).expect(400, answers.invalidPrecondition);
    },
  );
});

describe('If-None-Match on a change', () => {
  const changes: [string, (key: string) => request.Test][] = [
    [
      'PUT',
      (key) =>
        api()
          .put(`/kv/${key}`)
          .send({ value: { a: 1 } }),
    ],
    ['PATCH', (key) => api().patch(`/kv/${key}`).type('application/merge-patch+json').send('{"a":1}')],
    ['DELETE', (key) => api().delete(`/kv/${key}`)],
    ['touch', (key) => api().post(`/kv/${key}/touch`).send({ ttl: 60 })],
  ];

  // Holds version.if-none-match-on-change.
  it.each(changes)('of `*` leaves %s nothing that it may change: 412, or 404', async (_what, change) => {
    const key = newKey();
    const tag = await insert(key);
    const lost = await change(key).set('If-None-Match', '*').expect(412, answers.preconditionFailed);
    expect(lost.headers).toMatchObject({ etag: tag, 'kv-version': tag.slice(1, -1) });
    const { headers } = await api().get(`/kv/${key}`).expect(200, { value: {} });
    expect(headers['etag']).toBe(tag);
    expect(headers).not.toHaveProperty('kv-expires-at');
    await change('missing').set('If-None-Match', '*').expect(404, answers.keyNotFound);
    await api().get('/kv/missing').expect(404, answers.keyNotFound);
  });

  // Holds version.if-none-match-star-only, version.missing-key-404, status.400-precondition.
  it.each(changes)('of anything else is malformed: %s answers 400', async (_what, change) => {
    const key = newKey();
    const tag = await insert(key);
    for (const field of [tag, '"1"', '1', '']) {
      await change(key).set('If-None-Match', field).expect(400, answers.invalidPrecondition);
    }
    await change('missing').set('If-None-Match', '"1"').expect(400, answers.invalidPrecondition);
    await change('missing').set('If-Match', '1').expect(400, answers.invalidPrecondition);
    await api().get(`/kv/${key}`).expect('ETag', tag).expect(200, { value: {} });
  });
});

// Holds version.post-heeds-none.
describe('POST /kv with a precondition', () => {
  it.each([
    ['If-Match', '"1"'],
    ['If-Match', '1'],
    ['If-None-Match', '*'],
    ['If-None-Match', '"1"'],
  ])('%s: %s is ignored', async (name, field) => {
    const key = newKey();
    const post = () => api().post('/kv').set(name, field).send({ key, value: {} });
    await post().expect(200, answers.inserted);
    await post().expect(409, answers.keyExists);
  });
});

// Holds status.repeated-write.
describe('a write that is sent again because nobody knows whether it was applied', () => {
  it('is told by its status that it was', async () => {
    const key = newKey();
    const tag = await insert(key);
    await api().post('/kv').send({ key, value: {} }).expect(409, answers.keyExists);
    const put = () => api().put(`/kv/${key}`).send({ value: {} });
    await put().set('If-Match', tag).expect(200, answers.updated);
    await put().set('If-Match', tag).expect(412, answers.preconditionFailed);
    await put().expect(200, answers.updated);
    await put().expect(200, answers.updated);
    await api().delete(`/kv/${key}`).expect(200, answers.deleted);
    await api().delete(`/kv/${key}`).expect(404, answers.keyNotFound);
  });
});

describe('PUT ?upsert=true', () => {
  const upsert = (key: string) =>
    api()
      .put(`/kv/${key}?upsert=true`)
      .send({ value: { a: 1 } });

  // Holds upsert.says-which.
  it('inserts what is missing, and updates what is there', async () => {
    const key = newKey();
    await upsert(key).expect(200, answers.inserted);
    await upsert(key).expect(200, answers.updated);
  });

  // Holds upsert.only-creates.
  it('with If-None-Match: * only inserts', async () => {
    const key = newKey();
    const { headers } = await upsert(key).set('If-None-Match', '*').expect(200, answers.inserted);
    const lost = await upsert(key).set('If-None-Match', '*').expect(412, answers.preconditionFailed);
    expect(lost.headers['etag']).toBe(headers['etag']);
  });

  // Holds upsert.only-replaces.
  it('with If-Match does not insert', async () => {
    for (const field of ['"1"', '*']) {
      const key = newKey();
      const { headers } = await upsert(key).set('If-Match', field).expect(412, answers.preconditionFailed);
      expect(headers).not.toHaveProperty('etag');
      await api().get(`/kv/${key}`).expect(404, answers.keyNotFound);
    }
  });

  // Holds upsert.only-replaces.
  it('with If-Match replaces what has that version', async () => {
    const key = newKey();
    const tag = await insert(key);
    await upsert(key).set('If-Match', tag).expect(200, answers.updated);
    const lost = await upsert(key).set('If-Match', tag).expect(412, answers.preconditionFailed);
    expect(versionOf(lost.headers['etag'])).toBeGreaterThan(versionOf(tag));
  });

  // Holds status.400-query.
  it('takes true or false', async () => {
    await api().put('/kv/missing?upsert=false').send({ value: {} }).expect(404, answers.keyNotFound);
    await api().put('/kv/missing?upsert=1').send({ value: {} }).expect(400, answers.invalidQuery);
  });
});

/** COUNTER_RAISES=1000 makes a longer run. */
const RAISES = Number(process.env['COUNTER_RAISES'] ?? 8);
const CLIENTS = 10;

describe(`ten clients that raise one counter ${RAISES} times each`, () => {
  async function raise(
    key: string,
    attempt: (count: number, tag: string) => Promise<boolean>,
  ): Promise<void> {
    for (;;) {
      const { body, headers } = await api().get(`/kv/${key}`).expect(200);
      const { count } = (body as { value: { count: number } }).value;
      if (await attempt(count, headers['etag'] ?? '')) return;
    }
  }

  // Holds version.if-match.
  it.each([
    [
      'If-Match',
      (key: string) => async (count: number, tag: string) => {
        const { status } = await api()
          .put(`/kv/${key}`)
          .set('If-Match', tag)
          .send({ value: { count: count + 1 } });
        expect([200, 412]).toContain(status);
        return status === 200;
      },
    ],
    [
      'PATCH with a test',
      (key: string) => async (count: number) => {
        const patch = [
          { op: 'test', path: '/count', value: count },
          { op: 'replace', path: '/count', value: count + 1 },
        ];
        const { status } = await api()
          .patch(`/kv/${key}`)
          .type('application/json-patch+json')
          .send(JSON.stringify(patch));
        expect([200, 409]).toContain(status);
        return status === 200;
      },
    ],
    [
      '/txn',
      (key: string) => async (count: number, tag: string) => {
        const { status } = await api()
          .post('/txn')
          .send({
            compare: [{ key, version: tag.slice(1, -1) }],
            success: [{ op: 'update', key, value: { count: count + 1 } }],
          });
        expect([200, 409]).toContain(status);
        return status === 200;
      },
    ],
  ])('by %s lose none', { timeout: 60_000 + 2000 * RAISES }, async (_way, attemptOn) => {
    const key = newKey();
    await insert(key, { count: 0 });
    const clients = Array.from({ length: CLIENTS }, async () => {
      for (let i = 0; i < RAISES; i++) await raise(key, attemptOn(key));
    });
    await Promise.all(clients);
    await api()
      .get(`/kv/${key}`)
      .expect(200, { value: { count: CLIENTS * RAISES } });
  });
});
