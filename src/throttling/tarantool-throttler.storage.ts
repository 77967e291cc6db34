import type { ThrottlerStorage } from '@nestjs/throttler';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import type { TarantoolClient } from '../tarantool/tarantool-client.js';

/** A process takes this part of what is left of a client's quota at a time, and serves from it without asking. */
const SHARE = 1 / 8;

/** What this process knows of a client's present window. */
interface Window {
  /** By this process's monotonic clock, in ms: never later than the window's end in the store. */
  endsAt: number;
  /** Taken from the store and not used yet. */
  share: number;
  /** Left in the store when it was last asked: an upper bound. */
  remaining: number;
  /** Requests that wait for `refill`. */
  waiting: number;
  refill?: Promise<void>;
}

export type Hit = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/**
 * Counts in Tarantool (tarantool/kv/throttle.lua), so the limit holds over all workers and instances on one store. What has
 * been taken from the store counts as used, so never more than the limit passes in a window; what is taken and not used
 * before the window ends is lost to the client.
 */
export class TarantoolThrottlerStorage implements ThrottlerStorage {
  private readonly windows = new Map<string, Window>();
  private readonly writer = new MsgpackWriter(512);
  private sweptAt = performance.now();

  constructor(private readonly tarantool: TarantoolClient) {}

  /** One request; what the module of the guard asks for. */
  increment(client: string, windowMs: number, limit: number): Promise<Hit> {
    return this.take(client, windowMs, limit, 1);
  }

  /**
   * Counts requests: all of them, or none where that is too many.
   * @throws what the client of Tarantool throws when the store cannot be asked.
   */
  async take(client: string, windowMs: number, limit: number, requests: number): Promise<Hit> {
    for (;;) {
      const known = this.takeHere(client, windowMs, limit, requests);
      if (known) return known;
      const window = this.windowOf(client, performance.now(), windowMs, limit);
      window.waiting += requests;
      window.refill ??= this.refill(client, window, windowMs, limit);
      await window.refill;
    }
  }

  /** As `take`, by what this process knows; undefined, and nothing counted, where the store has to be asked. */
  takeHere(client: string, windowMs: number, limit: number, requests: number): Hit | undefined {
    const now = performance.now();
    const window = this.windowOf(client, now, windowMs, limit);
    if (now >= window.endsAt) {
      if (requests <= limit) return undefined;
      return hit({ ...newWindow(limit, now + windowMs), remaining: 0 }, limit, now, true);
    }
    if (window.share >= requests) {
      window.share -= requests;
      return hit(window, limit, now, false);
    }
    return window.share + window.remaining < requests ? hit(window, limit, now, true) : undefined;
  }

  /** What `take` would answer, without counting. */
  peek(client: string, windowMs: number, limit: number): Hit {
    const now = performance.now();
    const window = this.windows.get(client);
    const present = window && now < window.endsAt ? window : newWindow(limit, now + windowMs);
    return hit(present, limit, now, false);
  }

  private windowOf(client: string, now: number, windowMs: number, limit: number): Window {
    let window = this.windows.get(client);
    if (!window) {
      this.sweep(now, windowMs);
      window = newWindow(limit, 0);
      this.windows.set(client, window);
    }
    return window;
  }

  private async refill(client: string, window: Window, windowMs: number, limit: number): Promise<void> {
    // The window's end is reckoned from before the question: early by the time it took, and never late.
    const asked = performance.now();
    const left = asked < window.endsAt ? window.remaining : limit;
    // In the next turn of the event loop all requests that arrived together are waiting.
    await new Promise(setImmediate);
    const want = Math.max(1, window.waiting - window.share, Math.floor(left * SHARE));
    try {
      const args = this.writer.reset().arrayHeader(4).string(client).integer(limit).integer(windowMs);
      const answer = await this.tarantool.call('throttle.take', args.integer(want).bytes());
      answer.arrayHeader();
      const granted = answer.integer();
      window.remaining = answer.integer();
      const endsAt = asked + answer.integer();
      // A share of the window before is void. Two reckonings of the same end differ by what the questions took.
      const isSameWindow = asked < window.endsAt && endsAt - window.endsAt < windowMs / 2;
      window.share = isSameWindow ? window.share + granted : granted;
      window.endsAt = isSameWindow ? Math.max(window.endsAt, endsAt) : endsAt;
    } finally {
      window.waiting = 0;
      delete window.refill;
    }
  }

  /** Forgets the clients whose window is over, once a window. */
  private sweep(now: number, windowMs: number): void {
    if (now - this.sweptAt < windowMs) return;
    this.sweptAt = now;
    for (const [client, { endsAt, refill }] of this.windows) {
      if (endsAt <= now && !refill) this.windows.delete(client);
    }
  }
}

function newWindow(limit: number, endsAt: number): Window {
  return { endsAt, share: 0, remaining: limit, waiting: 0 };
}

function hit({ share, remaining, endsAt }: Window, limit: number, now: number, isBlocked: boolean): Hit {
  const timeToExpire = Math.max(1, Math.ceil((endsAt - now) / 1000));
  return {
    totalHits: limit - remaining - share,
    timeToExpire,
    isBlocked,
    timeToBlockExpire: isBlocked ? timeToExpire : 0,
  };
}
