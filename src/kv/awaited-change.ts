import { Injectable } from '@nestjs/common';
import { KvError } from '../entries/kv.errors.js';
import { ChangeFeed } from '../feed/change-feed.js';
import type { Follower } from '../feed/follower.js';

/** Waits for changes of one key. */
@Injectable()
export class AwaitedChange {
  constructor(private readonly feed: ChangeFeed) {}

  /**
   * Calls `isThere` until it resolves to true, at first and after each change of the key, for at most `ms`.
   * @returns false where the store keeps no log of changes, so that nothing can be waited for.
   * @throws {KvError} TOO_MANY_WATCHERS, and what `isThere` throws
   */
  async until(key: string, ms: number, isThere: () => Promise<boolean>, over: AbortSignal): Promise<boolean> {
    const deadline = performance.now() + ms;
    const follower = this.feed.follow(key, over);
    try {
      let at = await this.feed.mark();
      while (!(await isThere()) && this.isWaiting(deadline, over))
        at = await this.change(at, follower, deadline, over);
      return true;
    } catch (error) {
      if (error instanceof KvError && error.code === 'CHANGES_OFF') return false;
      throw error;
    } finally {
      follower.close();
    }
  }

  /**
   * Waits for a change of this very key behind the revision `after`. The feed also wakes for longer keys, which begin
   * with it: they cost no call to the store. Returns a revision up to which `isThere` will look.
   */
  private async change(
    after: number,
    follower: Follower,
    deadline: number,
    over: AbortSignal,
  ): Promise<number> {
    const key = follower.prefix;
    for (let at = after; ;) {
      at = await this.feed.next(follower, at, deadline - performance.now());
      const page = this.feed.latest(at, key, Infinity);
      if (!page) return this.feed.mark();
      if (page.changes.some((change) => change.key === key) || !this.isWaiting(deadline, over))
        return page.next;
      at = page.next;
    }
  }

  private isWaiting(deadline: number, over: AbortSignal): boolean {
    return !this.feed.stopped.aborted && !over.aborted && performance.now() < deadline;
  }
}
