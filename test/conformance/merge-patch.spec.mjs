// RFC 7396, appendix A: every example, each document as a member of ours.
import { describe, expect, it } from 'vitest';
import { pathOf, send } from './client.mjs';

const EXAMPLES = [
  ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'],
  ['{"a":"b"}', '{"a":null}', '{}'],
  ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
  ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
  ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
  ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
  ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
  ['["a","b"]', '["c","d"]', '["c","d"]'],
  ['{"a":"b"}', '["c"]', '["c"]'],
  ['{"a":"foo"}', '"bar"', '"bar"'],
  ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
  ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'],
  ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
];

describe('RFC 7396, appendix A', () => {
  it.each(EXAMPLES)('%s with %s becomes %s', async (original, patch, result) => {
    const key = 'merge-patch';
    await send('PUT', `${pathOf(key)}?upsert=true`, { body: `{"value":{"d":${original}}}` });
    const type = 'application/merge-patch+json';
    expect((await send('PATCH', pathOf(key), { body: `{"d":${patch}}`, type })).status).toBe(200);
    expect((await send('GET', pathOf(key))).text).toBe(`{"value":{"d":${result}}}`);
  });

  it('{"a":"foo"} with null loses the member', async () => {
    const key = 'merge-patch';
    await send('PUT', `${pathOf(key)}?upsert=true`, { body: '{"value":{"d":{"a":"foo"}}}' });
    await send('PATCH', pathOf(key), { body: '{"d":null}', type: 'application/merge-patch+json' });
    expect((await send('GET', pathOf(key))).text).toBe('{"value":{}}');
  });
});
