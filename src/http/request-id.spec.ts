import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { newRequestId, requestId } from './request-id.js';

const idFor = (sent?: string): string =>
  requestId({ headers: { 'x-request-id': sent } } as unknown as IncomingMessage);
const OWN = /^[\w-]{8}-[\da-z]+$/;

describe('the id of a request', () => {
  it.each([
    ['abc', 'abc'],
    [' a.b:c+d/e=f@g-h_1 ', 'a.b:c+d/e=f@g-h_1'],
    ['first, second', 'first'],
    ['not sane, second', 'second'],
    [', second', 'second'],
    ['x'.repeat(128), 'x'.repeat(128)],
  ])('that is sent as %j is %j', (sent, id) => {
    expect(idFor(sent)).toBe(id);
  });

  it.each([undefined, '', ' ', 'a b', 'a"b', 'ä', 'a\u0007', 'x'.repeat(129)])(
    'is a new one where %j is sent',
    (sent) => {
      expect(idFor(sent)).toMatch(OWN);
    },
  );

  it('is never given twice', () => {
    const ids = Array.from({ length: 100 }, newRequestId);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(OWN);
  });
});
