import { afterEach, describe, expect, it, vi } from 'vitest';
import { newWindow, takeFrom } from './window.js';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('a window that has not begun', () => {
  it('is told to last as long as it will, at whatever time', () => {
    const clock = vi.spyOn(performance, 'now');
    for (let i = 0; i < 200; i++) {
      // This time and a minute cannot be added exactly: the sum is more than a minute away.
      clock.mockReturnValue(1000 / 3 + i * 123.456_789);
      expect(takeFrom(newWindow(3, 0), 60_000, 3, 4)).toStrictEqual({
        totalHits: 0,
        timeToExpire: 60,
        isBlocked: true,
        timeToBlockExpire: 60,
      });
    }
  });
});
