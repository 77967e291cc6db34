export interface Waiter {
  readonly prefix: string;
  /** Called for changes of keys with the prefix. */
  wake(): void;
}

/** Waiters by the prefix of the keys that they wait for. */
export class PrefixWaiters {
  private readonly byPrefix = new Map<string, Set<Waiter>>();
  /** How many prefixes there are of each length, so that a key is looked up once for each length. */
  private readonly lengths = new Map<number, number>();

  add(waiter: Waiter): void {
    const { prefix } = waiter;
    let waiters = this.byPrefix.get(prefix);
    if (!waiters) {
      waiters = new Set();
      this.byPrefix.set(prefix, waiters);
      this.lengths.set(prefix.length, (this.lengths.get(prefix.length) ?? 0) + 1);
    }
    waiters.add(waiter);
  }

  delete(waiter: Waiter): void {
    const { prefix } = waiter;
    const waiters = this.byPrefix.get(prefix);
    if (!waiters?.delete(waiter) || waiters.size > 0) return;
    this.byPrefix.delete(prefix);
    const others = (this.lengths.get(prefix.length) ?? 1) - 1;
    if (others === 0) this.lengths.delete(prefix.length);
    else this.lengths.set(prefix.length, others);
  }

  /** Wakes those that wait for one of these keys, each of them once. */
  wake(keys: Iterable<string>): void {
    const woken = new Set<Set<Waiter>>();
    for (const key of keys) {
      for (const length of this.lengths.keys()) {
        const waiters = length <= key.length && this.byPrefix.get(key.slice(0, length));
        if (waiters) woken.add(waiters);
      }
    }
    for (const waiters of woken) for (const waiter of waiters) waiter.wake();
  }

  wakeAll(): void {
    for (const waiters of this.byPrefix.values()) for (const waiter of waiters) waiter.wake();
  }
}
