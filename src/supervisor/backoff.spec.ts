import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Backoff } from './backoff.js';

let backoff: Backoff;
beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['performance'] });
  vi.advanceTimersByTime(3_600_000);
  backoff = new Backoff();
});
afterEach(() => {
  vi.useRealTimers();
});

const delays = (count: number): number[] => Array.from({ length: count }, () => backoff.next());

describe('the delay before a restart', () => {
  it('doubles from 50 ms up to 2 s, for ever', () => {
    expect(delays(8)).toEqual([50, 100, 200, 400, 800, 1600, 2000, 2000]);
    expect(delays(1000).at(-1)).toBe(2000);
  });

  it('goes on doubling when a try that failed took long', () => {
    delays(3);
    vi.advanceTimersByTime(60_000);
    expect(backoff.next()).toBe(400);
  });

  it('goes on doubling when what served died young', () => {
    delays(3);
    backoff.serves();
    vi.advanceTimersByTime(5000);
    expect(backoff.next()).toBe(400);
  });

  it('begins anew when what died had served for more than 5 s, once', () => {
    delays(3);
    backoff.serves();
    vi.advanceTimersByTime(5001);
    expect(backoff.next()).toBe(50);
    vi.advanceTimersByTime(60_000);
    expect(backoff.next()).toBe(100);
  });
});
