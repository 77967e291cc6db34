import { describe, expect, it } from 'vitest';
import { GrowingBuffer } from './growing-buffer.js';

const MAX = 20_000;
const of = (bytes: number, fill = 1): Buffer => Buffer.alloc(bytes, fill);

describe('GrowingBuffer', () => {
  it('keeps the first bytes without a copy, and then all in their order', () => {
    const first = of(3);
    const buffer = new GrowingBuffer(first, MAX);
    expect(buffer.bytes().buffer).toBe(first.buffer);
    buffer.add(of(2, 2));
    buffer.add(of(5000, 3));
    expect(buffer.length).toBe(5005);
    expect(buffer.bytes()).toEqual(Buffer.concat([of(3), of(2, 2), of(5000, 3)]));
  });

  it.each([
    ['to 4 KiB at first', 10, 1, 4086],
    ['to twice its memory', 5000, 1, 5000],
    ['to what is needed, where that is more', 5000, 9000, 9000],
    ['to the most that it may have', 15_000, 1, 5000],
    ['to what is needed, even where that is too much', 15_000, 6000, 6000],
    ['not at all for nothing', 5000, 0, 0],
  ])('grows %s', (_name, first, next, growth) => {
    expect(new GrowingBuffer(of(first), MAX).growthFor(next)).toBe(growth);
  });

  it('grows only when its memory is full', () => {
    const buffer = new GrowingBuffer(of(10), MAX);
    buffer.add(of(1));
    expect([4085, 4086].map((bytes) => buffer.growthFor(bytes))).toEqual([0, 4096]);
  });
});
