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

describe('POST /batch', () => {
  const batch = (...operations: object[]) => api().post('/batch').send({ operations });

  // Holds batch.each-for-itself, batch.results, batch.order, operation.get, operation.insert, operation.update.
  // Holds operation.upsert, operation.delete, operation.if-match.
  it('answers each operation as the single request would have been, in order', async () => {
    const key = newKey();
    const { body } = await batch(
      { op: 'insert', key, value: { a: 1 } },
      { op: 'get', key },
      { op: 'insert', key, value: {} },
      { op: 'update', key, value: { a: 2 }, if_match: '1' },
      { op: 'update', key, value: { a: 2 }, if_match: '*' },
      { op: 'upsert', key: `${key}-new`, value: {}, ttl: 60 },
      { op: 'upsert', key, value: { a: 3 } },
      { op: 'delete', key },
      { op: 'get', key },
      { op: 'get', key: '..' },
    ).expect(200);
    const version = expect.stringMatching(/^\d+$/);
    expect(body).toEqual({
      message: 'processed',
      status: 200,
      results: [
        { ...answers.inserted, version },
        { value: { a: 1 }, status: 200, version },
        { ...answers.keyExists, version },
        { ...answers.preconditionFailed, version },
        { ...answers.updated, version },
        { ...answers.inserted, version, expires_at: expect.stringMatching(/^20.*Z$/) as string },
        { ...answers.updated, version },
        { ...answers.deleted, version },
        answers.keyNotFound,
        answers.invalidKey,
      ],
    });
  });

  // Holds batch.malformed-whole, operation.members, limit.batch.
  it.each([
    {},
    { operations: [] },
    { operations: [{ op: 'frob', key: 'a' }] },
    { operations: [{ op: 'get' }] },
    { operations: [{ op: 'get', key: 'a', value: {} }] },
    { operations: [{ op: 'insert', key: 'a' }] },
    { operations: [{ op: 'insert', key: 'a', value: [] }] },
    { operations: [{ op: 'insert', key: 'a', value: {}, if_match: '1' }] },
    { operations: [{ op: 'delete', key: 'a', if_match: 1 }] },
    { operations: [{ op: 'get', key: 'a', unknown: 1 }] },
    { operations: Array.from({ length: 1001 }, () => ({ op: 'get', key: 'a' })) },
  ])('refuses what is no batch (%#)', async (body) => {
    await api().post('/batch').send(body).expect(400, answers.invalidBody);
  });
});

describe('what would be too large an answer', () => {
  const key = 'large';
  const gets = (count: number) => Array.from({ length: count }, () => ({ op: 'get', key }));
  beforeAll(async () => {
    await insert(key, { text: 'x'.repeat(900_000) });
  });

  // Holds batch.reads-cut-short.
  it('is cut short by a batch, read by read', async () => {
    const { body } = await api()
      .post('/batch')
      .send({ operations: gets(100) })
      .expect(200);
    const { results } = body as { results: { value?: object }[] };
    expect(results).toHaveLength(100);
    expect(results.filter(({ value }) => value).length).toBeGreaterThan(10);
    expect(results.at(-1)).toEqual(answers.tooLarge);
  });
});
