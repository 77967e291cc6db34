import request from 'supertest';
import type { Test } from 'supertest';
import type { Rule } from '../../src/access/rule.js';

export const ADMIN_TOKEN = 'an-admin-token-of-the-tests';

export interface TokenOfTest {
  id: string;
  token: string;
}

/** Makes a token as an administrator does. */
export async function newTokenFor(
  url: string,
  rules: readonly Rule[],
  more: { name?: string; expires_at?: string } = {},
): Promise<TokenOfTest> {
  const { body } = await send(request(url).post('/tokens'), ADMIN_TOKEN)
    .send({ name: 'of a test', rules, ...more })
    .expect(200);
  return body as TokenOfTest;
}

/** Has a request show a token. */
export function send(test: Test, token: string): Test {
  return test.set('Authorization', `Bearer ${token}`);
}
