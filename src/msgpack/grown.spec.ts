import { describe, expect, it } from 'vitest';
import { grown } from './grown.js';

describe('a buffer that grows', () => {
  it.each([
    ['to twice its size', 10, 11, 20],
    ['to what is needed, where that is more', 10, 50, 50],
  ])('%s keeps the bytes that are used', (_name, size, needed, length) => {
    const buffer = Buffer.alloc(size, 7);
    const larger = grown(buffer, 4, needed);
    expect(larger).toHaveLength(length);
    expect([...larger.subarray(0, 4)]).toEqual([7, 7, 7, 7]);
    expect(larger.buffer).not.toBe(buffer.buffer);
  });
});
