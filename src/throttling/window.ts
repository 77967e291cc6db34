import type { ThrottlerStorage } from '@nestjs/throttler';

/** What this process knows of a client's current window. */
export interface Window {
  /** By the monotonic clock of this process, in ms. Never later than the window's end in the store. */
  endsAt: number;
  /** Units that were taken from the store and are not used yet. */
  share: number;
  /** Units that the store had left when it was last asked. This is an upper bound. */
  remaining: number;
  /** Requests that wait for `refill`. */
  waiting: number;
  /** Units of work that was done and not reported to the store yet. */
  owed: number;
  /** Units that were given back for refused batches. */
  givenBack: number;
  /** A request of several units was refused, and booked for a later window. */
  isBooked: boolean;
  /** Whether the window is remembered from one request to the next. */
  isKept: boolean;
  refill?: Promise<void>;
}

export type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** The window of a client that nothing is known about. */
export function newWindow(limit: number, endsAt: number): Window {
  return {
    endsAt,
    share: 0,
    remaining: limit,
    waiting: 0,
    owed: 0,
    givenBack: 0,
    isBooked: false,
    isKept: true,
  };
}

/**
 * Counts units by what this process knows. Where the store has to be asked, it counts nothing and returns undefined.
 */
export function takeFrom(window: Window, windowMs: number, limit: number, units: number): Hit | undefined {
  const now = performance.now();
  if (now >= window.endsAt) {
    if (units <= limit) return undefined;
    return hit(newWindow(limit, windowMs), limit, 0, true);
  }
  if (window.share >= units) {
    window.share -= units;
    return hit(window, limit, now, false);
  }
  // Several units may have been booked earlier, which only the store knows, unless it was asked in this window.
  const isRefused = units === 1 ? window.remaining < 1 : units > limit || window.isBooked;
  return isRefused ? hit(window, limit, now, true) : undefined;
}

/** Describes a window in the terms of @nestjs/throttler. */
export function hit(
  { share, remaining, endsAt }: Window,
  limit: number,
  now: number,
  isBlocked: boolean,
): Hit {
  const timeToExpire = Math.max(1, Math.ceil((endsAt - now) / 1000));
  return {
    totalHits: limit - remaining - share,
    timeToExpire,
    isBlocked,
    timeToBlockExpire: isBlocked ? timeToExpire : 0,
  };
}
