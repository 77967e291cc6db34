import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

type Method = 'post' | 'put' | 'patch';
const send = (method: Method, path: string, body: string, type = 'application/json') =>
  request(service.url)[method](path).set('Content-Type', type).send(body);

/** Every name that a JavaScript object answers to, and others that mean something to libraries. */
const FOREIGN = [...Object.getOwnPropertyNames(Object.prototype), 'toJSON', 'then', 'prototype', '', 'Key'];

const BODIES: [string, Method, string, string][] = [
  ['POST /kv', 'post', '/kv', '{"key":"new","value":{},MORE}'],
  ['PUT /kv/:key', 'put', '/kv/state', '{"value":{},MORE}'],
  ['POST /kv/:key/touch', 'post', '/kv/state/touch', '{"ttl":null,MORE}'],
  ['POST /batch', 'post', '/batch', '{"operations":[{"op":"get","key":"state"}],MORE}'],
  ['an operation of a batch', 'post', '/batch', '{"operations":[{"op":"get","key":"state",MORE}]}'],
  ['POST /txn', 'post', '/txn', '{"success":[],MORE}'],
  ['an operation of a transaction', 'post', '/txn', '{"success":[{"op":"delete","key":"state",MORE}]}'],
  ['a comparison', 'post', '/txn', '{"compare":[{"key":"state","exists":false,MORE}],"success":[]}'],
  ['a comparison of versions', 'post', '/txn', '{"compare":[{"key":"a","version":"0",MORE}],"success":[]}'],
];

describe('a body', () => {
  // Holds body.unknown-members, body.foreign-names, operation.members, status.400-body.
  it.each(BODIES)('of %s has its own members and no other', async (_what, method, path, body) => {
    for (const name of FOREIGN) {
      for (const member of ['null', '{}', '"x"', '{"value":{}}']) {
        const text = body.replace('MORE', `${JSON.stringify(name)}:${member}`);
        const answer = await send(method, path, text);
        expect([name, answer.status, answer.body]).toEqual([name, 400, answers.invalidBody]);
      }
    }
    await request(service.url)
      .get('/kv/state')
      .expect(200, { value: { status: 'ok' } });
    await request(service.url).get('/kv/new').expect(404, answers.keyNotFound);
  });

  it.each(BODIES)('of %s may name a member twice: the last one counts', async (_what, method, path, body) => {
    const last = /"(\w+)":[^,]*,MORE/.exec(body)?.[1];
    await send(method, path, body.replace('MORE', `"${last}":0`)).expect(400, answers.invalidBody);
  });

  it.each<[string, Method, string, string]>([
    ['members that it inherits', 'post', '/kv', '{"__proto__":{"key":"a","value":{}}}'],
    ['a member that it inherits', 'put', '/kv/state', '{"__proto__":{"value":{}}}'],
    ['members of its constructor', 'post', '/kv', '{"constructor":{"key":"a"},"value":{}}'],
    ['no member', 'post', '/kv', '{}'],
    ['a null for the members', 'post', '/kv', 'null'],
    ['an array for the members', 'post', '/batch', '[{"op":"get","key":"state"}]'],
    ['a null for an operation', 'post', '/batch', '{"operations":[null]}'],
    ['an array for an operation', 'post', '/batch', '{"operations":[["get","state"]]}'],
    ['an operation that every object has', 'post', '/batch', '{"operations":[{"op":"toString","key":"a"}]}'],
    [
      'an operation that is inherited',
      'post',
      '/batch',
      '{"operations":[{"__proto__":{"op":"get"},"key":"a"}]}',
    ],
    ['a list that is an object', 'post', '/txn', '{"success":{"length":0}}'],
    ['a null for a list', 'post', '/txn', '{"compare":null,"success":[]}'],
    ['neither kind of comparison', 'post', '/txn', '{"compare":[{"key":"a"}],"success":[]}'],
    [
      'both kinds of comparison',
      'post',
      '/txn',
      '{"compare":[{"key":"a","exists":true,"version":"0"}],"success":[]}',
    ],
    ['a value for a read', 'post', '/batch', '{"operations":[{"op":"get","key":"a","value":{}}]}'],
    ['no value for a write', 'post', '/batch', '{"operations":[{"op":"update","key":"a"}]}'],
    [
      'a condition for an insert',
      'post',
      '/batch',
      '{"operations":[{"op":"insert","key":"a","value":{},"if_match":"1"}]}',
    ],
    [
      '"keep" for an insert',
      'post',
      '/batch',
      '{"operations":[{"op":"insert","key":"a","value":{},"ttl":"keep"}]}',
    ],
    [
      'a version that is a number',
      'post',
      '/batch',
      '{"operations":[{"op":"delete","key":"a","if_match":1}]}',
    ],
    ['a null for a time to live', 'put', '/kv/state', '{"value":{},"ttl":null}'],
    ['no time to live', 'post', '/kv/state/touch', '{}'],
  ])('is refused with %s', async (_what, method, path, body) => {
    await send(method, path, body).expect(400, answers.invalidBody);
  });
});

describe('an operation of a JSON Patch', () => {
  const patch = (body: string) => send('patch', '/kv/state', body, 'application/json-patch+json');

  // Holds patch.unknown-members.
  it.each(['constructor', '__proto__', 'hasOwnProperty', 'xyz'])(
    'may have a member %s, which is ignored (RFC 6902 §4)',
    async (name) => {
      await patch(`[{"op":"test","path":"/status","value":"ok","${name}":{"op":"remove"}}]`).expect(
        200,
        answers.updated,
      );
      await request(service.url)
        .get('/kv/state')
        .expect(200, { value: { status: 'ok' } });
    },
  );

  it.each([
    ['a value', '[{"op":"add","path":"/a","__proto__":{"value":1}}]'],
    ['a path', '[{"op":"add","value":1,"__proto__":{"path":"/a"}}]'],
    ['an op', '[{"path":"/a","value":1,"__proto__":{"op":"add"}}]'],
    ['a from', '[{"op":"copy","path":"/a","__proto__":{"from":"/status"}}]'],
  ])('does not inherit %s', async (_what, body) => {
    await patch(body).expect(400, answers.invalidBody);
  });
});
