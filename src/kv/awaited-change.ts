import { Injectable } from '@nestjs/common';
import { KvError } from '../entries/kv.errors.js';
import { ChangeFeed } from '../feed/change-feed.js';

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
    const follower = this.feed.follow();
    try {
      for (;;) {
        const mark = await this.feed.mark();
        const left = deadline - performance.now();
        if ((await isThere()) || left <= 0 || this.feed.stopped.aborted || over.aborted) return true;
        await this.feed.next(mark, key, left, over);
      }
    } catch (error) {
      if (error instanceof KvError && error.code === 'CHANGES_OFF') return false;
      throw error;
    } finally {
      follower.close();
    }
  }
}
