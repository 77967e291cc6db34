import { afterEach, describe, expect, it, vi } from 'vitest';
import { hit, newWindow, takeFrom } from './window.js';
import type { Window } from './window.js';

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

describe('a window', () => {
  const LIMIT = 10;
  const ENDS_AT = 5000;
  /** What is taken at a time, of a window that ends at 5 s and of which 4 units are left in the store. */
  function take(units: number, members: Partial<Window>, now = 1000): unknown {
    vi.spyOn(performance, 'now').mockReturnValue(now);
    const window = Object.assign(newWindow(LIMIT, ENDS_AT), { remaining: 4 }, members);
    const taken = takeFrom(window, 60_000, LIMIT, units);
    return taken && { ...taken, share: window.share };
  }
  const passed = (totalHits: number, share: number): object => ({
    totalHits,
    share,
    timeToExpire: 4,
    isBlocked: false,
    timeToBlockExpire: 0,
  });
  const refused = (totalHits: number, share: number): object => ({
    totalHits,
    share,
    timeToExpire: 4,
    isBlocked: true,
    timeToBlockExpire: 4,
  });

  it.each<[string, number, Partial<Window>, unknown]>([
    ['gives a unit of its share', 1, { share: 3 }, passed(4, 2)],
    ['gives the last units of its share', 3, { share: 3 }, passed(6, 0)],
    ['asks the store where its share is too small', 4, { share: 3 }, undefined],
    ['asks the store where it has no share', 1, {}, undefined],
    ['refuses where nothing is left', 1, { remaining: 0 }, refused(10, 0)],
    ['asks the store for several units where nothing is left', 2, { remaining: 0 }, undefined],
    ['refuses more than the limit', 11, { share: 1 }, refused(5, 1)],
    ['asks the store for as many as the limit', 10, {}, undefined],
    ['refuses several units where some are booked', 2, { isBooked: true }, refused(6, 0)],
    ['gives one unit where some are booked', 1, { isBooked: true, share: 1 }, passed(6, 0)],
    ['asks the store for one unit where some are booked', 1, { isBooked: true }, undefined],
  ])('%s', (_name, units, members, taken) => {
    expect(take(units, members)).toEqual(taken);
  });

  it('has ended at its end', () => {
    expect(take(1, { share: 3 }, ENDS_AT)).toBeUndefined();
    expect(take(1, { share: 3 }, ENDS_AT - 1)).toMatchObject({ isBlocked: false, timeToExpire: 1 });
    expect(take(10, {}, ENDS_AT)).toBeUndefined();
    expect(take(11, {}, ENDS_AT)).toMatchObject({ isBlocked: true, totalHits: 0, timeToExpire: 60 });
  });

  it('says the seconds that it lasts, rounded up, and never none', () => {
    const seconds = (now: number): number => hit(newWindow(LIMIT, ENDS_AT), LIMIT, now, true).timeToExpire;
    expect([0, 999, 1000, 1001, 4999, 5000, 6000].map(seconds)).toEqual([5, 5, 4, 4, 1, 1, 1]);
  });

  it('is new with everything left, and remembered', () => {
    expect(newWindow(LIMIT, ENDS_AT)).toEqual({
      endsAt: ENDS_AT,
      share: 0,
      remaining: LIMIT,
      waiting: 0,
      owed: 0,
      givenBack: 0,
      isBooked: false,
      isKept: true,
    });
  });
});
