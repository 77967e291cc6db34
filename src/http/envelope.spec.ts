import { describe, expect, it } from 'vitest';
import { done, envelope, problem, problemOfStatus, refused } from './envelope.js';
import { expiresAtMember } from './expires-at.js';

describe('the body of an answer', () => {
  it.each([
    [envelope('a "b"', 418), '{"message":"a \\"b\\"","status":418}'],
    [envelope('a', 418, ',"b":1'), '{"message":"a","status":418,"b":1}'],
    [done('touched'), '{"message":"touched","status":200}'],
    [done('touched', ',"b":1'), '{"message":"touched","status":200,"b":1}'],
    [refused('KEY_NOT_FOUND'), '{"message":"key not found","status":404}'],
    [refused('KEY_NOT_FOUND', ',"b":1'), '{"message":"key not found","status":404,"b":1}'],
    [
      problem('KEY_NOT_FOUND'),
      '{"type":"urn:problem-type:tarantool-kv:key_not_found","title":"key not found","status":404,' +
        '"detail":"There is no entry with this key.","code":"key_not_found","message":"key not found"}',
    ],
    [
      problem('KEY_EXISTS', ',"failed":[1]'),
      '{"type":"urn:problem-type:tarantool-kv:key_exists","title":"key already exists","status":409,' +
        '"detail":"There is an entry with this key already.","code":"key_exists","message":"key already exists",' +
        '"failed":[1]}',
    ],
    [problemOfStatus('gone', 410), '{"type":"about:blank","title":"gone","status":410,"message":"gone"}'],
  ])('%s', (body, expected) => {
    expect(body).toBe(expected);
  });

  it('shows when an entry expires, and nothing where it does not', () => {
    expect(expiresAtMember(1_700_000_000_123)).toBe(',"expires_at":"2023-11-14T22:13:20.123Z"');
    expect(expiresAtMember(undefined)).toBe('');
  });
});
