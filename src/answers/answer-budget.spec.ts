import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AnswerBudget } from './answer-budget.js';
import type { AnswerLease } from './answer-lease.js';

const UNAVAILABLE = expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }) as Error;

/** Whether the promise has been fulfilled by now. */
async function stateOf(lease: Promise<AnswerLease>): Promise<'granted' | 'waiting'> {
  const isWaiting = Symbol('waiting');
  await Promise.resolve();
  return (await Promise.race([lease, Promise.resolve(isWaiting)])) === isWaiting ? 'waiting' : 'granted';
}

describe('the budget of answers', () => {
  let budget: AnswerBudget;
  beforeEach(() => {
    vi.useFakeTimers();
    budget = new AnswerBudget(100, 8);
  });
  afterEach(() => vi.useRealTimers());

  it('gives room while there is some, and then to who waits', async () => {
    const [a, b] = [await budget.take(40, 'a'), await budget.take(50, 'b')];
    const c = budget.take(20, 'c');
    expect(await stateOf(c)).toBe('waiting');
    expect(budget.used).toBe(90);
    a.shrink(30);
    expect(await stateOf(c)).toBe('granted');
    expect(budget.used).toBe(100);
    for (const lease of [a, b, await c]) lease.release();
    expect(budget.used).toBe(0);
  });

  it('takes each byte back once', async () => {
    const lease = await budget.take(40, 'a');
    lease.shrink(10);
    lease.shrink(30);
    expect(budget.used).toBe(10);
    lease.release();
    lease.release();
    expect(budget.used).toBe(0);
  });

  it('lets one client hold half of it, and others pass meanwhile', async () => {
    const first = await budget.take(40, 'a');
    const second = budget.take(20, 'a');
    const other = budget.take(50, 'b');
    expect(await stateOf(second)).toBe('waiting');
    expect(await stateOf(other)).toBe('granted');
    first.release();
    expect(await stateOf(second)).toBe('granted');
  });

  it('takes an answer that is larger than a share for a share', async () => {
    const lease = await budget.take(1000, 'a');
    expect(budget.used).toBe(50);
    lease.release();
    expect(budget.used).toBe(0);
  });

  it('lets nobody overtake a large answer that waits', async () => {
    const [a] = [await budget.take(50, 'a'), await budget.take(30, 'b')];
    const large = budget.take(40, 'c');
    const small = budget.take(5, 'd');
    expect([await stateOf(large), await stateOf(small)]).toEqual(['waiting', 'waiting']);
    a.release();
    expect([await stateOf(large), await stateOf(small)]).toEqual(['granted', 'granted']);
  });

  it('gives turns to clients, not to who has asked most', async () => {
    const holders = [await budget.take(50, 'x'), await budget.take(50, 'y')];
    const order: string[] = [];
    for (const client of ['a', 'a', 'a', 'b', 'c'])
      void budget.take(25, client).then(() => order.push(client));
    for (const holder of holders) holder.release();
    await vi.advanceTimersByTimeAsync(0);
    expect(order).toEqual(['a', 'b', 'c', 'a']);
  });

  // Holds limit.large-answers.
  it('refuses who has waited for too long, and lets those behind pass', async () => {
    await budget.take(50, 'a');
    await budget.take(30, 'b');
    const large = budget.take(40, 'c');
    const refused = expect(large).rejects.toEqual(UNAVAILABLE);
    await vi.advanceTimersByTimeAsync(1000);
    const small = budget.take(5, 'd');
    await vi.advanceTimersByTimeAsync(1000);
    await refused;
    expect(await stateOf(small)).toBe('granted');
  });

  // Holds limit.waiting-for-room.
  it('refuses at once where the line of a client, or of all, is full', async () => {
    for (const client of ['a', 'b']) await budget.take(50, client);
    const waiting = ['a', 'b'].flatMap((client) => Array.from({ length: 4 }, () => budget.take(1, client)));
    for (const lease of waiting) lease.catch(() => {});
    await expect(budget.take(1, 'c')).rejects.toEqual(UNAVAILABLE);
    await vi.advanceTimersByTimeAsync(2000);
    const others = Array.from({ length: 4 }, () => budget.take(1, 'a'));
    for (const lease of others) lease.catch(() => {});
    await expect(budget.take(1, 'a')).rejects.toEqual(UNAVAILABLE);
    expect(await stateOf(budget.take(1, 'c'))).toBe('waiting');
    await vi.advanceTimersByTimeAsync(2000);
  });

  it('counts at once what exists already, up to the share of its client', () => {
    expect(budget.takeNow(40, 'a')).toBeDefined();
    expect(budget.takeNow(20, 'a')).toBeUndefined();
    expect(budget.takeNow(20, 'b')).toBeDefined();
    expect(budget.used).toBe(60);
  });
});
