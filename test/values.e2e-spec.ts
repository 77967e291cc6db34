import fc from 'fast-check';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

/** PROPERTY_RUNS=1000 makes a longer run of it. The law is held without a store by the specs of src/json. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 60);

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
  await send('post', '/kv', '{"key":"value","value":{}}').expect(200);
});
afterAll(() => service.stop());

const send = (method: 'post' | 'put', path: string, body: string) =>
  request(service.url)[method](path).set('Content-Type', 'application/json').send(body);

async function roundTrip(value: string): Promise<string> {
  await send('put', '/kv/value', `{"value":${value}}`).expect(200);
  const { text } = await request(service.url).get('/kv/value').buffer(true).expect(200);
  return text.slice('{"value":'.length, -1);
}

describe('a value', () => {
  // Holds value.object, value.any-name, value.kept-apart, value.exact-integers.
  it.each([
    '{}',
    '{"a":[]}',
    '{"a":{}}',
    '{"a":null}',
    '{"":{"":""}}',
    '{"b":1,"a":2,"z":{"y":1,"x":2}}',
    '{"a":{"constructor":{"name":"RangeError"},"message":"x"}}',
    '{"a":{"constructor":{"name":"Date"}}}',
    '{"constructor":{"name":"Uint8Array"},"length":100000000}',
    '{"_isUint64BE":true}',
    '{"_bsontype":"Long"}',
    '{"__proto__":{"a":1},"a":{"__proto__":null}}',
    '{"constructor":{"prototype":{"a":1}}}',
    '{"toJSON":1,"then":{"a":1},"valueOf":null,"hasOwnProperty":1,"toString":"x"}',
    '{"a":"\\u0000","b":"\\u001f","c":"\\"\\\\"}',
    '{"emoji":"😀","key 😀":"ключ"}',
    '{"a":18446744073709551615,"b":-9223372036854775808,"c":9007199254740993}',
    '{"a":0,"b":-1,"c":4294967296,"d":-2147483649}',
    '{"a":0.1,"b":-1.5e-7,"c":5e-324,"d":1.7976931348623157e+308,"e":-0}',
    '{"a":[[],[{}],[[null,true,false]]]}',
  ])('comes back as it was sent: %s', async (value) => {
    expect(await roundTrip(value)).toBe(value);
  });

  // Holds value.member-order, value.doubles, value.last-name-wins.
  it.each([
    ['{"b":1,"17":2,"a":3,"0":4,"-1":5,"01":6}', '{"0":4,"17":2,"b":1,"a":3,"-1":5,"01":6}'],
    [
      '{"a":1.0,"b":1e20,"c":100E-2,"d":-0.0,"e":9007199254740993.0}',
      '{"a":1,"b":1e+20,"c":1,"d":-0,"e":9.007199254740992e+15}',
    ],
    ['{"a":{"x":1},"b":2,"a":{"y":3}}', '{"a":{"y":3},"b":2}'],
  ])('comes back as the same value, written otherwise: %s', async (sent, received) => {
    expect(await roundTrip(sent)).toBe(received);
  });

  // Holds value.last-name-wins.
  it('keeps the last of duplicate members', async () => {
    expect(await roundTrip('{"a":1,"a":2}')).toBe('{"a":2}');
  });

  // Holds value.unchanged.
  it(
    'comes back as it was sent, whatever it is and however it was written',
    { timeout: 3000 * RUNS },
    async () => {
      const space = fc.constantFrom('', ' ', '\n', '\t\r\n  ');
      await fc.assert(
        fc.asyncProperty(
          fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()),
          space,
          async (value, indent) => {
            const sent = JSON.stringify(value, undefined, indent);
            // JavaScript writes large doubles as integers, and those beyond 64 bits are refused.
            fc.pre(!/\d{19}/.test(sent));
            const text = await roundTrip(sent);
            expect(JSON.parse(text)).toEqual(JSON.parse(sent));
          },
        ),
        { numRuns: RUNS },
      );
    },
  );
});
