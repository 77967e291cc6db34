export interface Waiter {
  readonly prefix: string;
  /** Called once, for the first change of a key with the prefix. */
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
    this.forget(prefix);
  }

  /** Removes and wakes those that wait for this key. */
  wake(key: string): void {
    for (const length of this.lengths.keys()) {
      if (length > key.length) continue;
      const prefix = key.slice(0, length);
      const waiters = this.byPrefix.get(prefix);
      if (!waiters) continue;
      this.forget(prefix);
      for (const waiter of waiters) waiter.wake();
    }
  }

  /** Removes and wakes all. */
  wakeAll(): void {
    const all = [...this.byPrefix.values()];
    this.byPrefix.clear();
    this.lengths.clear();
    for (const waiters of all) for (const waiter of waiters) waiter.wake();
  }

  private forget(prefix: string): void {
    this.byPrefix.delete(prefix);
    const others = (this.lengths.get(prefix.length) ?? 1) - 1;
    if (others === 0) this.lengths.delete(prefix.length);
    else this.lengths.set(prefix.length, others);
  }
}
