import type { PrefixWaiters, Waiter } from './prefix-waiters.js';

/**
 * A client that follows the changes of keys with a prefix. It waits again and again, so what that takes is made once:
 * there may be ten thousand of them in a process.
 */
export class Follower implements Waiter {
  private end: ((isWoken: boolean) => void) | undefined;
  private timer: NodeJS.Timeout | undefined;
  private timerMs = 0;

  constructor(
    readonly prefix: string,
    private readonly over: AbortSignal,
    private readonly waiters: PrefixWaiters,
    private readonly onClose: () => void,
  ) {
    waiters.add(this);
    over.addEventListener('abort', this);
  }

  /** Resolves to true when a key with the prefix changes, and to false after `ms` or when the client is gone. */
  wait(ms: number): Promise<boolean> {
    if (this.over.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.end = resolve;
      if (this.timer && this.timerMs === ms) {
        this.timer.refresh();
        return;
      }
      clearTimeout(this.timer);
      this.timerMs = ms;
      this.timer = setTimeout(giveUp, ms, this);
    });
  }

  wake(): void {
    this.stopWaiting(true);
  }

  /** The signal is aborted. */
  handleEvent(): void {
    this.stopWaiting(false);
  }

  /** To be called once, when the client no longer follows. */
  close(): void {
    clearTimeout(this.timer);
    this.waiters.delete(this);
    this.over.removeEventListener('abort', this);
    this.onClose();
  }

  stopWaiting(isWoken: boolean): void {
    const { end } = this;
    this.end = undefined;
    end?.(isWoken);
  }
}

function giveUp(follower: Follower): void {
  follower.stopWaiting(false);
}
