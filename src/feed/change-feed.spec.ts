import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { LimitsConfig, TarantoolConfig } from '../config/config.js';
import { KvError } from '../entries/kv.errors.js';
import { ChangeFeed } from './change-feed.js';
import type { Change } from './change.js';
import type { ChangesRepository, LoggedChanges } from './changes.repository.js';

/** A log whose reads are answered when the test says so. */
class SlowLog {
  readonly waits: number[] = [];
  answer: (changes: LoggedChanges) => void = () => {};
  refuse: (error: Error) => void = () => {};
  mark = (): Promise<number> => Promise.resolve(10);
  read = (_after: number, _maxBytes: number, waitMs = 0): Promise<LoggedChanges> => {
    this.waits.push(waitMs);
    return new Promise((resolve, reject) => {
      this.answer = resolve;
      this.refuse = reject;
    });
  };
}

function feedOf(log: SlowLog, timeoutMs = 2000): ChangeFeed {
  const limits = { maxWatchers: 10 } as LimitsConfig;
  const repository = log as unknown as ChangesRepository;
  return new ChangeFeed(repository, limits, { timeoutMs } as TarantoolConfig, pino({ level: 'silent' }));
}

function changed(revision: number, key: string): LoggedChanges {
  const change: Change = {
    revision,
    key,
    operation: 'delete',
    json: undefined,
    version: revision,
    expiresAt: undefined,
    isExpiry: false,
  };
  return { changes: [change], next: revision, mark: revision };
}

const reads = (log: SlowLog, count: number): Promise<void> =>
  expect.poll(() => log.waits.length, { interval: 1, timeout: 1000 }).toBe(count);
const stays = (): AbortSignal => new AbortController().signal;
const turn = (): Promise<void> => new Promise(setImmediate);

describe('the reader of the log', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'runs for who comes while it ends (%i microtasks after the last answer)',
    async (microtasks) => {
      const log = new SlowLog();
      const feed = feedOf(log);
      const follower = feed.follow('', stays());
      await turn();
      expect(log.waits).toHaveLength(1);
      follower.close();
      log.answer({ changes: [], next: 10, mark: 10 });
      for (let i = 0; i < microtasks; i++) await Promise.resolve();
      feed.follow('', stays());
      await reads(log, 2);
      feed.stop();
    },
  );

  it.each([
    [2000, 500],
    [100, 50],
  ])('waits for less than the timeout of a call (%i ms)', async (timeoutMs, waitMs) => {
    const log = new SlowLog();
    const feed = feedOf(log, timeoutMs);
    feed.follow('', stays());
    await turn();
    expect(log.waits).toEqual([waitMs]);
    feed.stop();
  });

  it('begins anew where the store has been restored to an earlier state', async () => {
    const log = new SlowLog();
    const feed = feedOf(log);
    const follower = feed.follow('', stays());
    await reads(log, 1);
    log.answer(changed(1000, 'a'));
    await reads(log, 2);
    log.answer(changed(1001, 'a'));
    await reads(log, 3);
    log.refuse(new KvError('OFFSET_EXPIRED'));
    await reads(log, 4);
    const ended = feed.next(follower, 10, 10_000);
    feed.stop();
    expect(await ended).toBe(10);
  });

  it('never leads back who is ahead of it', async () => {
    const log = new SlowLog();
    const feed = feedOf(log);
    const follower = feed.follow('', stays());
    await turn();
    expect(feed.latest(10, '', 1000)).toEqual({ changes: [], next: 10, isUpToDate: true });
    // Another process has told of the revision 20 already.
    expect(feed.latest(20, '', 1000)).toBeUndefined();
    expect(await feed.next(follower, 20, 1)).toBe(20);
    const woken = feed.next(follower, 20, 10_000);
    log.answer(changed(15, 'a'));
    expect(await woken).toBe(20);
    const behind = feed.next(feed.follow('', stays()), 15, 10_000);
    await reads(log, 2);
    log.answer(changed(21, 'a'));
    expect(await behind).toBe(15);
    expect(feed.latest(15, '', 1000)?.changes).toEqual(changed(21, 'a').changes);
    feed.stop();
  });
});
