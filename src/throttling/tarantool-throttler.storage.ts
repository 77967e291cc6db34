import type { ThrottlerStorage } from '@nestjs/throttler';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import type { TarantoolClient } from '../tarantool/tarantool-client.js';
import { hit, newWindow, takeFrom } from './window.js';
import type { Hit, Window } from './window.js';

/** A process takes this part of a client's remaining quota at a time, and serves from it without asking the store. */
const SHARE = 1 / 8;

/**
 * How many clients' windows a process remembers. For further clients it asks the store at each request, and takes no
 * more than that request needs.
 */
const MAX_CLIENTS = 65_536;

/** How many windows are checked for each new one, so that ended windows are forgotten without a long loop. */
const SWEPT_FOR_EACH = 2;

/**
 * Counts in Tarantool (tarantool/kv/throttle.lua), so the limit holds over all workers and instances that share a
 * store. A quota that was taken from the store counts as used, so never more than the limit passes in a window. A
 * share that is not used before its window ends is lost to the client.
 */
export class TarantoolThrottlerStorage implements ThrottlerStorage {
  private readonly windows = new Map<string, Window>();
  private readonly writer = new MsgpackWriter(512);
  private sweep = this.windows.entries();

  constructor(
    private readonly tarantool: TarantoolClient,
    private readonly maxClients = MAX_CLIENTS,
  ) {}

  /** Counts one request. The guard of @nestjs/throttler calls this. */
  increment(client: string, windowMs: number, limit: number): Promise<Hit> {
    return this.take(client, windowMs, limit, 1);
  }

  /**
   * Counts units: all of them, or none where there are too many.
   * @throws what the Tarantool client throws when the store cannot be asked.
   */
  async take(client: string, windowMs: number, limit: number, units: number): Promise<Hit> {
    const window = this.windowOf(client, limit);
    for (;;) {
      const known = takeFrom(window, windowMs, limit, units);
      if (known) return known;
      if (units > 1) return this.takeWhole(client, window, windowMs, limit, units);
      window.waiting++;
      window.refill ??= this.refill(client, window, windowMs, limit);
      await window.refill;
    }
  }

  /**
   * Same as `take`, but only by what this process knows. Where the store has to be asked, it counts nothing and
   * returns undefined.
   */
  takeHere(client: string, windowMs: number, limit: number, units: number): Hit | undefined {
    return takeFrom(this.windowOf(client, limit), windowMs, limit, units);
  }

  /**
   * Counts work that is already done, whatever is left of the quota. Where the store cannot be told, the work is
   * forgotten.
   */
  owe(client: string, windowMs: number, limit: number, units: number): void {
    const window = this.windowOf(client, limit);
    const here = performance.now() < window.endsAt ? Math.min(units, window.share) : 0;
    window.share -= here;
    window.owed += units - here;
    window.remaining = Math.max(0, window.remaining - (units - here));
    if (window.owed > 0)
      (window.refill ??= this.refill(client, window, windowMs, limit)).catch(() => undefined);
  }

  /**
   * Gives back what was counted for a request that was refused afterwards. At most one limit is given back in a
   * window. Otherwise refusals would cost nothing, however many there are.
   */
  giveBack(client: string, limit: number, units: number): void {
    const window = this.windowOf(client, limit);
    if (performance.now() >= window.endsAt || window.givenBack + units > limit) return;
    window.givenBack += units;
    window.share += units;
  }

  /** The result that `take` would return, without counting. */
  peek(client: string, windowMs: number, limit: number): Hit {
    const now = performance.now();
    const window = this.windows.get(client);
    if (window && now < window.endsAt) return hit(window, limit, now, false);
    // A window that begins now. It is calculated from 0, because `now` and the length cannot always be added exactly.
    return hit(newWindow(limit, windowMs), limit, 0, false);
  }

  private windowOf(client: string, limit: number): Window {
    let window = this.windows.get(client);
    if (!window) {
      this.forgetSome();
      window = newWindow(limit, 0);
      window.isKept = this.windows.size < this.maxClients;
      if (window.isKept) this.windows.set(client, window);
    }
    return window;
  }

  private async refill(client: string, window: Window, windowMs: number, limit: number): Promise<void> {
    // The window's end is calculated from the time before the call. So it is too early by the duration of the call,
    // and never too late.
    const asked = performance.now();
    const left = asked < window.endsAt ? window.remaining : limit;
    // In the next turn of the event loop, all requests that arrived together are waiting.
    await new Promise(setImmediate);
    const { waiting, owed } = window;
    const needed = Math.max(waiting > 0 ? 1 : 0, waiting - window.share);
    // A share of a window that is not remembered would be lost.
    const want = window.isKept && waiting > 0 ? Math.max(needed, Math.floor(left * SHARE)) : needed;
    window.owed = 0;
    try {
      const granted = await this.ask(client, window, windowMs, limit, { asked, want, owed, whole: 0 });
      window.share += granted;
    } finally {
      window.waiting = 0;
      delete window.refill;
    }
    if (window.owed > 0) this.owe(client, windowMs, limit, 0);
  }

  private async takeWhole(
    client: string,
    window: Window,
    windowMs: number,
    limit: number,
    units: number,
  ): Promise<Hit> {
    const asked = performance.now();
    const here = asked < window.endsAt ? window.share : 0;
    window.share -= here;
    const whole = units - here;
    const granted = await this.ask(client, window, windowMs, limit, { asked, want: 0, owed: 0, whole });
    const now = performance.now();
    if (granted === whole) return hit(window, limit, now, false);
    if (now < window.endsAt) window.share += here;
    window.isBooked = true;
    return hit(window, limit, now, true);
  }

  /** Takes quota from the store, and learns when the window ends. @returns the units that were granted. */
  private async ask(
    client: string,
    window: Window,
    windowMs: number,
    limit: number,
    { asked, want, owed, whole }: { asked: number; want: number; owed: number; whole: number },
  ): Promise<number> {
    const args = this.writer.reset().arrayHeader(6).string(client).integer(limit).integer(windowMs);
    const answer = await this.tarantool.call(
      'throttle.take',
      args.integer(want).integer(owed).integer(whole).bytes(),
    );
    answer.arrayHeader();
    const granted = answer.integer();
    window.remaining = answer.integer();
    const endsAt = asked + answer.integer();
    // Two calculations of the same end differ at most by the duration of the calls.
    if (asked < window.endsAt && endsAt - window.endsAt < windowMs / 2) {
      window.endsAt = Math.max(window.endsAt, endsAt);
    } else {
      // A share of an earlier window is no longer valid.
      Object.assign(window, { endsAt, share: 0, givenBack: 0, isBooked: false });
    }
    return granted;
  }

  /** Forgets clients whose windows have ended. Each call checks a few windows, in turn. */
  private forgetSome(): void {
    const now = performance.now();
    for (let i = 0; i < SWEPT_FOR_EACH; i++) {
      const next = this.sweep.next();
      if (next.done) {
        this.sweep = this.windows.entries();
        return;
      }
      const [client, { endsAt, refill }] = next.value;
      if (endsAt <= now && !refill) this.windows.delete(client);
    }
  }
}
