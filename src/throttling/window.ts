import type { ThrottlerStorage } from '@nestjs/throttler';

/** What this process knows of a client's present window. */
export interface Window {
  /** By this process's monotonic clock, in ms: never later than the window's end in the store. */
  endsAt: number;
  /** Taken from the store and not used yet. */
  share: number;
  /** Left in the store when it was last asked: an upper bound. */
  remaining: number;
  /** Requests that wait for `refill`. */
  waiting: number;
  /** Units of work that was done, and that the store is not told of yet. */
  owed: number;
  /** Units of refused batches that were given back. */
  givenBack: number;
  /** Something of several units was refused, and booked for a later window. */
  isBooked: boolean;
  /** Whether it is known from one request to the next. */
  isKept: boolean;
  refill?: Promise<void>;
}

export type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Of a client that nothing is known of. */
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

/** Counts units by what this process knows; undefined, and nothing counted, where the store has to be asked. */
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
  // Several units may be booked: only the store knows, unless it was asked in this window.
  const isRefused = units === 1 ? window.remaining < 1 : units > limit || window.isBooked;
  return isRefused ? hit(window, limit, now, true) : undefined;
}

/** What is told of a window, in the words of @nestjs/throttler. */
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
