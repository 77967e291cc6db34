import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { KvError } from '../entries/kv.errors.js';
import { parseIdempotencyKey, refuseIdempotencyKey } from './idempotency-key.js';

function requestWith(...lines: string[]): IncomingMessage {
  const has = lines.length > 0;
  return {
    headers: has ? { 'idempotency-key': lines.join(', ') } : {},
    headersDistinct: has ? { 'idempotency-key': lines } : {},
  } as Partial<IncomingMessage> as IncomingMessage;
}

const INVALID = new KvError('INVALID_IDEMPOTENCY_KEY');

// Holds limit.idempotency-key.
describe('the key of a write that can be repeated', () => {
  it.each([
    ['"a"', 'a'],
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    [' "a b, c"  ', 'a b, c'],
    ['" "', ' '],
    [String.raw`"\"a\\"`, String.raw`"a` + '\\'],
    ['"!#[]~"', '!#[]~'],
    [`"${'k'.repeat(255)}"`, 'k'.repeat(255)],
    [`"${String.raw`\"`.repeat(255)}"`, '"'.repeat(255)],
  ])('%j is the text %j', (field, key) => {
    expect(parseIdempotencyKey(requestWith(field))).toBe(key);
  });

  it('is not there without the field', () => {
    expect(parseIdempotencyKey(requestWith())).toBeUndefined();
    expect(refuseIdempotencyKey(requestWith())).toBeUndefined();
  });

  it.each([
    [''],
    ['""'],
    ['a'],
    ["'a'"],
    ['"a'],
    ['a"'],
    ['"a"b'],
    ['"a";b'],
    ['"a";b=1'],
    ['("a")'],
    ['"a", "b"'],
    [':YQ==:'],
    ['?1'],
    ['1'],
    [String.raw`"\a"`],
    [String.raw`"a\"`],
    ['"\ta"'],
    ['\t"a"'],
    ['"a\u007f"'],
    ['"é"'],
    [`"${'k'.repeat(256)}"`],
    [`"${'k'.repeat(100_000)}`],
    ['"a"', '"a"'],
    ['"a', 'b"'],
  ])('is refused as %j %j', (...lines) => {
    expect(() => parseIdempotencyKey(requestWith(...lines))).toThrow(INVALID);
    expect(() => refuseIdempotencyKey(requestWith(...lines))).toThrow(INVALID);
  });
});
