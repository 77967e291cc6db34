import request from 'supertest';
import type { Test } from 'supertest';
import { expect } from 'vitest';
import { answers } from './answers.js';

/**
 * The requests that most tests send to the service. `url` is a function, because test files are read before the
 * service has its port.
 */
export function client(url: () => string) {
  let keys = 0;
  const api = () => request(url());
  const post = (body: object): Test => api().post('/kv').send(body);

  /** A key that no test has used before. */
  const newKey = (): string => `key-${++keys}`;

  /** @returns the version of the new entry. */
  const insert = async (key: string, value: object = {}): Promise<string> => {
    const { headers } = await post({ key, value }).expect(200, answers.inserted);
    return headers['kv-version'] ?? '';
  };

  /** Resolves when the entry has expired. */
  const expired = async (key: string): Promise<void> => {
    const status = async () => (await api().get(`/kv/${key}`)).status;
    await expect.poll(status, { interval: 20 }).toBe(404);
  };

  return { api, post, newKey, insert, expired };
}
