import { beforeEach, expect, it, vi } from 'vitest';
import { Follower } from './follower.js';
import { PrefixWaiters } from './prefix-waiters.js';

const LONG_MS = 60_000;

let waiters: PrefixWaiters;
let closed: number;
let over: AbortController;
let follower: Follower;
beforeEach(() => {
  waiters = new PrefixWaiters();
  closed = 0;
  over = new AbortController();
  follower = new Follower('a/', over.signal, waiters, () => closed++);
});

it('is woken by a key with its prefix, again and again', async () => {
  for (const keys of [['a/1'], ['b', 'a/1', 'a/1', 'a/2']]) {
    const waiting = follower.wait(LONG_MS);
    waiters.wake(keys);
    expect(await waiting).toBe(true);
  }
  follower.close();
});

it('is not woken by other keys, and waits for no longer than it may', async () => {
  for (const ms of [1, 1, 2]) {
    const waiting = follower.wait(ms);
    waiters.wake(['', 'a', 'b/a/']);
    expect(await waiting).toBe(false);
  }
  follower.close();
});

it('has its whole time each time', async () => {
  vi.useFakeTimers();
  const first = follower.wait(100);
  vi.advanceTimersByTime(99);
  waiters.wake(['a/1']);
  expect(await first).toBe(true);
  const ended = vi.fn();
  const second = follower.wait(100).then(ended);
  await vi.advanceTimersByTimeAsync(99);
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  await second;
  expect(ended).toHaveBeenCalledWith(false);
  follower.close();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

it('wakes each one once, however many of its keys change', () => {
  const waiter = { prefix: '', wake: vi.fn() };
  waiters.add(waiter);
  waiters.wake(['a/1', 'a/2', '']);
  expect(waiter.wake).toHaveBeenCalledOnce();
  waiters.delete(waiter);
  waiters.wake(['a/1']);
  expect(waiter.wake).toHaveBeenCalledOnce();
});

it('waits no longer when its client is gone, and leaves nothing behind', async () => {
  const waiting = follower.wait(LONG_MS);
  over.abort();
  expect(await waiting).toBe(false);
  expect(await follower.wait(LONG_MS)).toBe(false);
  follower.close();
  expect(closed).toBe(1);
});
