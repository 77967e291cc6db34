import { describe, expect, it } from 'vitest';
import { unitsOfBytes, Work } from './work.js';

const KIB = 1024;

describe('the units of bytes', () => {
  it.each([
    [0, 0],
    [68 * KIB, 0],
    [68 * KIB + 1, 1],
    [132 * KIB, 1],
    [132 * KIB + 1, 2],
    [1028 * KIB, 15],
  ])('of %i are %i', (bytes, units) => {
    expect(unitsOfBytes(bytes)).toBe(units);
  });
});

describe('the work of a request', () => {
  it.each([
    ['is one unit at first', {}, 10, 1],
    ['is that of its operations', { operations: 5, bytes: 3 }, 10, 5],
    ['is that of its bytes', { operations: 3, bytes: 5 }, 10, 5],
    ['is that of its bytes up to the limit', { bytes: 50 }, 10, 10],
    ['is that of its operations beyond the limit', { operations: 50 }, 10, 50],
    ['is what was not charged yet', { operations: 5, charged: 2 }, 10, 3],
    ['is nothing where more was charged', { operations: 5, charged: 7 }, 10, 0],
  ])('%s', (_name, members, limit, due) => {
    expect(Object.assign(new Work(), members).due(limit)).toBe(due);
  });
});
