import fc from 'fast-check';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const JSON_TYPE = 'application/json';
const MERGE_PATCH = 'application/merge-patch+json';
const JSON_PATCH = 'application/json-patch+json';

/** PROPERTY_RUNS=1000 makes a longer run of it. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 25);

type Method = 'post' | 'put' | 'patch';

let service: TestApp;
const send = (method: Method, path: string, body: string, type = JSON_TYPE) =>
  request(service.url)[method](path).set('Content-Type', type).send(body);
const get = (key: string) => request(service.url).get(`/kv/${key}`).buffer(true);

describe('nesting', () => {
  const MAX_BODY_BYTES = 1024 * 1024;
  beforeAll(async () => {
    service = await startTestApp();
  });
  afterAll(() => service.stop());

  const arrays = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  const objects = (depth: number): string => '{"a":'.repeat(depth - 1) + '{}' + '}'.repeat(depth - 1);

  const BODIES: [string, Method, string, string, string][] = [
    ['POST /kv', 'post', '/kv', '{"key":"deep","value":DEEP}', JSON_TYPE],
    ['PUT /kv/:key', 'put', '/kv/state', '{"value":DEEP}', JSON_TYPE],
    ['an upsert', 'put', '/kv/deep?upsert=true', '{"value":DEEP}', JSON_TYPE],
    ['an unknown member', 'put', '/kv/state', '{"value":{},"other":DEEP}', JSON_TYPE],
    ['a duplicate that does not count', 'put', '/kv/state', '{"value":{"a":DEEP,"a":1}}', JSON_TYPE],
    ['a ttl', 'put', '/kv/state', '{"value":{},"ttl":DEEP}', JSON_TYPE],
    ['a key', 'post', '/kv', '{"key":DEEP,"value":{}}', JSON_TYPE],
    ['a touch', 'post', '/kv/state/touch', '{"ttl":DEEP}', JSON_TYPE],
    ['no member at all', 'put', '/kv/state', 'DEEP', JSON_TYPE],
    ['a list of operations', 'post', '/batch', '{"operations":DEEP}', JSON_TYPE],
    ['an operation', 'post', '/batch', '{"operations":[DEEP]}', JSON_TYPE],
    ['a list of comparisons', 'post', '/txn', '{"compare":DEEP,"success":[]}', JSON_TYPE],
    ['a comparison', 'post', '/txn', '{"compare":[{"key":"state","exists":DEEP}],"success":[]}', JSON_TYPE],
    ['a transaction', 'post', '/txn', '{"success":[{"op":"upsert","key":"deep","value":DEEP}]}', JSON_TYPE],
    [
      'a branch that is not taken',
      'post',
      '/txn',
      '{"success":[],"failure":[{"op":"upsert","key":"deep","value":DEEP}]}',
      JSON_TYPE,
    ],
    ['a merge patch', 'patch', '/kv/state', 'DEEP', MERGE_PATCH],
    ['a merge patch of a member', 'patch', '/kv/state', '{"a":DEEP}', MERGE_PATCH],
    ['a JSON Patch', 'patch', '/kv/state', 'DEEP', JSON_PATCH],
    ['an added value', 'patch', '/kv/state', '[{"op":"add","path":"/a","value":DEEP}]', JSON_PATCH],
    ['a tested value', 'patch', '/kv/state', '[{"op":"test","path":"","value":DEEP}]', JSON_PATCH],
    ['a path', 'patch', '/kv/state', '[{"op":"remove","path":DEEP}]', JSON_PATCH],
    [
      'an ignored member',
      'patch',
      '/kv/state',
      '[{"op":"test","path":"/status","value":"ok","x":DEEP}]',
      JSON_PATCH,
    ],
  ];

  // Holds body.depth.
  it.each(BODIES)(
    'of 5000 levels or of as many as fit is refused in %s',
    async (_what, method, path, body, type) => {
      const room = MAX_BODY_BYTES - body.length;
      for (const deep of [
        arrays(5000),
        objects(5000),
        arrays(room >> 1),
        objects(Math.floor(room / 6)),
        '['.repeat(room),
        '{"a":'.repeat(Math.floor(room / 5)),
      ]) {
        await send(method, path, body.replace('DEEP', deep), type).expect(400, answers.invalidBody);
      }
      await get('state').expect(200, { value: { status: 'ok' } });
      await get('deep').expect(404, answers.keyNotFound);
    },
  );

  // Holds body.depth, limit.body-depth.
  it('of 67 levels is the deepest of a whole body, even where nothing of it is kept', async () => {
    const patch = (levels: number) =>
      send(
        'patch',
        '/kv/state',
        `[{"op":"test","path":"/status","value":"ok","x":${arrays(levels)}}]`,
        JSON_PATCH,
      );
    await patch(65).expect(200, answers.updated);
    await patch(66).expect(400, answers.invalidBody);
  });

  // Holds body.depth, patch.too-long-or-deep.
  it('of 64 levels is the deepest, wherever the value stands', async () => {
    const bodies: [Method, string, (value: string) => string, string][] = [
      ['put', '/kv/deepest?upsert=true', (value) => `{"value":${value}}`, JSON_TYPE],
      [
        'post',
        '/batch',
        (value) => `{"operations":[{"op":"upsert","key":"deepest","value":${value}}]}`,
        JSON_TYPE,
      ],
      [
        'post',
        '/txn',
        (value) => `{"success":[{"op":"upsert","key":"deepest","value":${value}}]}`,
        JSON_TYPE,
      ],
      ['patch', '/kv/deepest', (value) => value, MERGE_PATCH],
      ['patch', '/kv/deepest', (value) => `[{"op":"add","path":"","value":${value}}]`, JSON_PATCH],
      [
        'patch',
        '/kv/deepest',
        (value) => `[{"op":"add","path":"/a","value":${value.slice(5, -1)}}]`,
        JSON_PATCH,
      ],
    ];
    for (const [method, path, body, type] of bodies) {
      await send('put', '/kv/deepest?upsert=true', '{"value":{}}').expect(200);
      const { body: answer } = await send(method, path, body(objects(64)), type).expect(200);
      expect(JSON.stringify(answer)).toContain('"status":200');
      await get('deepest').expect(200, `{"value":${objects(64)}}`);
      await send(method, path, body(objects(65)), type).expect(400, answers.invalidBody);
    }
  });
});

describe('a value that grows on its way out', () => {
  const MAX_BODY_BYTES = 4096;
  beforeAll(async () => {
    service = await startTestApp({ MAX_BODY_BYTES: String(MAX_BODY_BYTES) });
    await send('post', '/kv', '{"key":"value","value":{}}').expect(200);
  });
  afterAll(() => service.stop());

  const many = (item: string, count: number): string =>
    `{"a":[${Array<string>(count).fill(item).join(',')}]}`;

  // Holds value.longer-as-answered.
  it.each<[string, Method, string, string, string]>([
    ['POST', 'post', '/kv', '{"key":"new","value":VALUE}', JSON_TYPE],
    ['PUT', 'put', '/kv/value', '{"value":VALUE}', JSON_TYPE],
    ['an upsert', 'put', '/kv/new?upsert=true', '{"value":VALUE}', JSON_TYPE],
    ['a transaction', 'post', '/txn', '{"success":[{"op":"upsert","key":"new","value":VALUE}]}', JSON_TYPE],
    ['a merge patch', 'patch', '/kv/value', 'VALUE', MERGE_PATCH],
    ['a JSON Patch', 'patch', '/kv/value', '[{"op":"add","path":"","value":VALUE}]', JSON_PATCH],
  ])('is refused by %s', async (_what, method, path, body, type) => {
    for (const number of ['1e15', '9e15', '1e9']) {
      await send(method, path, body.replace('VALUE', many(number, 600)), type).expect(413, answers.tooLarge);
    }
    await get('value').expect(200, { value: {} });
    await get('new').expect(404, answers.keyNotFound);
  });

  it('is refused by an operation of a batch, and the others are carried out', async () => {
    const large = `{"op":"upsert","key":"new","value":${many('1e15', 600)}}`;
    const { body } = await send(
      'post',
      '/batch',
      `{"operations":[${large},{"op":"get","key":"value"}]}`,
    ).expect(200);
    expect(body.results).toEqual([answers.tooLarge, expect.objectContaining({ value: {} })]);
  });

  // Holds value.longer-as-answered, patch.like-put, patch.too-long-or-deep, limit.value.
  it('is taken up to the byte', async () => {
    const frame = '{"value":{"a":[1000000000000000],"s":""}}'.length;
    const value = (length: number): string => `{"value":{"a":[1e15],"s":"${'x'.repeat(length)}"}}`;
    await send('put', '/kv/value', value(MAX_BODY_BYTES - frame + 1)).expect(413, answers.tooLarge);
    await send('put', '/kv/value', value(MAX_BODY_BYTES - frame)).expect(200, answers.updated);
    const { text } = await get('value').expect(200);
    expect(text).toHaveLength(MAX_BODY_BYTES);
    await send('put', '/kv/value', text).expect(200, answers.updated);
    await send('patch', '/kv/value', '[{"op":"replace","path":"/a/0","value":1}]', JSON_PATCH).expect(
      200,
      answers.updated,
    );
    await send('patch', '/kv/value', '[{"op":"replace","path":"/a/0","value":1e15}]', JSON_PATCH).expect(
      200,
      answers.updated,
    );
    await send('patch', '/kv/value', '[{"op":"replace","path":"/a/0","value":-1e15}]', JSON_PATCH).expect(
      413,
      answers.tooLarge,
    );
    await send('patch', '/kv/value', '{"t":""}', MERGE_PATCH).expect(413, answers.tooLarge);
    await send('put', '/kv/value', '{"value":{}}').expect(200, answers.updated);
  });

  // Holds value.put-back.
  it('can be put back as it was read, whatever it is', { timeout: 3000 * RUNS }, async () => {
    const item = fc.oneof(
      fc.constantFrom(
        '1e15',
        '9e15',
        '-1e15',
        '1e-6',
        '1e20',
        '"\\u0001\\u0002"',
        '"\\u00e9\\/"',
        '"\\n"',
        '"😀"',
        'null',
        '[]',
        '{"b":1,"0":2}',
      ),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number.toExponential()),
    );
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(item, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 0, max: 3900 }),
        async (items, room) => {
          const list = items.join(',');
          const value = `{"a":[${Array<string>(Math.max(1, Math.floor(room / (list.length + 1))))
            .fill(list)
            .join(',')}]}`;
          const { status, body } = await send('put', '/kv/value', `{"value":${value}}`);
          seen.add(status);
          if (status !== 200) {
            expect([status, body]).toEqual([413, answers.tooLarge]);
            return;
          }
          const { text } = await get('value').expect(200);
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BODY_BYTES);
          await send('put', '/kv/value', text).expect(200, answers.updated);
          expect((await get('value').expect(200)).text).toBe(text);
        },
      ),
      {
        numRuns: RUNS,
        examples: [
          [['null'], 0],
          [['9e15'], 3900],
        ],
      },
    );
    expect(seen).toEqual(new Set([200, 413]));
  });

  // Holds patch.like-put.
  it('can be put back after any patch that was not refused', { timeout: 3000 * RUNS }, async () => {
    const pointer = fc
      .array(fc.constantFrom('a', 'b', '0', '-'), { maxLength: 2 })
      .map((path) => path.map((step) => `/${step}`).join(''));
    const operation = fc.record({
      op: fc.constantFrom('add', 'copy', 'copy', 'move', 'remove', 'replace'),
      from: pointer,
      path: pointer,
      value: fc.constantFrom<unknown>(1e15, 'x'.repeat(300), '\u0001'.repeat(100), { a: [] }, []),
    });
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 8 }), async (operations) => {
        await send('put', '/kv/value', '{"value":{"a":["x"],"b":{"0":"y"}}}').expect(200);
        // In a patch of its own each: one that is refused does not end the others.
        for (const each of operations) {
          const { status } = await send('patch', '/kv/value', JSON.stringify([each]), JSON_PATCH);
          seen.add(status);
          expect([200, 400, 413]).toContain(status);
        }
        const { text } = await get('value').expect(200);
        await send('put', '/kv/value', text).expect(200, answers.updated);
        expect((await get('value').expect(200)).text).toBe(text);
      }),
      { numRuns: RUNS },
    );
    expect(seen).toContain(200);
  });
});

describe('a JSON Patch that costs too much', () => {
  beforeAll(async () => {
    service = await startTestApp({ MAX_BODY_BYTES: '16384' });
  });
  afterAll(() => service.stop());

  // Holds patch.bounded-work, limit.patch-work.
  it.each<[string, unknown, unknown[]]>([
    [
      'copies of a long string',
      { s: 'x'.repeat(16_000) },
      Array.from({ length: 300 }, (_, i) => ({ op: 'copy', from: '/s', path: `/${i}` })),
    ],
    [
      'copies that are removed again',
      { s: 'x'.repeat(8000) },
      Array.from({ length: 100 }, () => [
        { op: 'copy', from: '/s', path: '/t' },
        { op: 'remove', path: '/t' },
      ]).flat(),
    ],
    [
      'insertions at the front of a long array',
      { a: Array(8000).fill(1) },
      Array.from({ length: 400 }, () => ({ op: 'add', path: '/a/0', value: 1 })),
    ],
  ])('is refused, and changes nothing: %s', async (_what, value, operations) => {
    await send('put', '/kv/costly?upsert=true', JSON.stringify({ value })).expect(200);
    await send('patch', '/kv/costly', JSON.stringify(operations), JSON_PATCH).expect(413, answers.tooLarge);
    await get('costly').expect(200, { value });
  });

  // Holds patch.bounded-work, limit.patch-operations.
  it('is refused by the number of its operations', async () => {
    const small = await startTestApp();
    try {
      const body = `[${Array(10_001).fill('{"op":"test","path":"/status","value":"ok"}').join(',')}]`;
      await request(small.url)
        .patch('/kv/state')
        .set('Content-Type', JSON_PATCH)
        .send(body)
        .expect(413, answers.tooLarge);
      await request(small.url)
        .patch('/kv/state')
        .set('Content-Type', JSON_PATCH)
        .send(body.replace('{', '').replace(/^\[[^{]*,/, '['))
        .expect(200, answers.updated);
    } finally {
      await small.stop();
    }
  });
});
