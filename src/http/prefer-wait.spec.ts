import { describe, expect, it } from 'vitest';
import { preferredWait } from './prefer-wait.js';

describe('the wait that a client prefers (RFC 7240 §4.3)', () => {
  it.each<[string | string[] | undefined, number | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['wait=5', 5],
    ['wait=0', 0],
    ['Wait = "10"', 10],
    ['\twait\t=\t7\t', 7],
    ['respond-async, wait=5', 5],
    ['respond-async,wait=5;x=1', 5],
    ['wait=5, handling=lenient', 5],
    ['wait=60', 60],
    ['wait=61', 60],
    ['wait=999999999', 60],
    ['wait=1234567890', undefined],
    [['respond-async', 'wait=3'], 3],
    ['wait', undefined],
    ['wait=', undefined],
    ['wait=-1', undefined],
    ['wait=1.5', undefined],
    ['wait=1s', undefined],
    ['await=5', undefined],
    ['x wait=5', undefined],
    ['waits=5', undefined],
  ])('of %j is %j', (prefer, seconds) => {
    expect(preferredWait(prefer)).toBe(seconds);
  });
});
