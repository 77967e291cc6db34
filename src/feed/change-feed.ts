import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { LimitsConfig, TarantoolConfig } from '../config/config.js';
import { LIMITS, TARANTOOL } from '../config/config.tokens.js';
import { KvError } from '../entries/kv.errors.js';
import { LOGGER } from '../logging/logger.js';
import type { Logger } from '../logging/logger.js';
import { longCallMs } from '../tarantool/long-call.js';
import type { ChangesPage } from './change.js';
import { ChangesRepository } from './changes.repository.js';
import { Follower } from './follower.js';
import { PrefixWaiters } from './prefix-waiters.js';
import { Ring } from './ring.js';

/** The latest changes that a process keeps, so that those who follow do not each ask the store. */
const RING_BYTES = 16 * 1024 * 1024;
/** How much one call to the store reads. The process handles nothing else while it decodes. */
const STEP_BYTES = 256 * 1024;
/** How long one call waits for the next change. */
const MAX_WAIT_MS = 500;
/** A pause after each read that found changes, so that those of a busy store are read and told together. */
const GATHER_MS = 5;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;

/**
 * Follows the log of changes for all clients of this process, with one call to the store at a time. It runs while
 * anybody follows.
 */
@Injectable()
export class ChangeFeed {
  private ring: Ring | undefined;
  /** The tail of the ring before the changes that woke somebody were added. */
  private before = 0;
  private readonly waiters = new PrefixWaiters();
  private followers = 0;
  private isRunning = false;
  private readonly waitMs: number;
  private readonly stopping = new AbortController();
  private readonly left = (): void => void this.followers--;

  constructor(
    private readonly log: ChangesRepository,
    @Inject(LIMITS) private readonly limits: LimitsConfig,
    @Inject(TARANTOOL) { timeoutMs }: TarantoolConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.waitMs = longCallMs(MAX_WAIT_MS, timeoutMs);
  }

  /** Aborted when the process begins to stop. Whoever follows has to end then. */
  get stopped(): AbortSignal {
    return this.stopping.signal;
  }

  /** How many follow the changes. */
  get watchers(): number {
    return this.followers;
  }

  /**
   * For a client that follows the changes of keys with this prefix, until `over` is aborted. It has to be closed.
   * @throws {KvError} TOO_MANY_WATCHERS
   */
  follow(prefix: string, over: AbortSignal): Follower {
    if (this.followers >= this.limits.maxWatchers) throw new KvError('TOO_MANY_WATCHERS');
    this.followers++;
    if (!this.isRunning) void this.run();
    return new Follower(prefix, over, this.waiters, this.left);
  }

  /** From now on nobody can wait. */
  stop(): void {
    this.stopping.abort();
    this.waiters.wakeAll();
  }

  /** The newest revision that is known to be on disk. @throws as `ChangesRepository.mark` */
  mark(): Promise<number> {
    return this.log.mark();
  }

  /** Refuses a revision behind which changes are no longer held. @throws as `ChangesRepository.read` */
  async requireHeld(after: number): Promise<void> {
    await this.log.read(after, 0);
  }

  /**
   * The changes of keys with this prefix behind a revision, of what this process knows, which may be a moment behind
   * the store. Undefined where it does not know them all.
   */
  latest(after: number, prefix: string, maxBytes: number): ChangesPage | undefined {
    return this.ring?.covers(after) ? this.ring.page(after, prefix, maxBytes) : undefined;
  }

  /**
   * The same from the store, which knows of every write that was acknowledged. There may be none although there are
   * later ones.
   * @throws as `ChangesRepository.read`
   */
  async read(after: number, prefix: string, maxBytes: number): Promise<ChangesPage> {
    const { changes, next, mark } = await this.log.read(after, Math.min(maxBytes, STEP_BYTES));
    return { changes: changes.filter(({ key }) => key.startsWith(prefix)), next, isUpToDate: next >= mark };
  }

  /**
   * Waits for a change that this follower wants behind the revision `after`, which has to be up to date, for at most
   * `ms`. Returns the revision behind which that change is, or the newest one where there was none.
   */
  async next(follower: Follower, after: number, ms: number): Promise<number> {
    const { ring } = this;
    if (this.stopped.aborted || (ring && after < ring.floor)) return after;
    let from = after;
    if (ring?.covers(after)) {
      const { changes, next } = ring.page(after, follower.prefix, 0);
      if (changes.length > 0) return after;
      from = next;
    }
    const isWoken = await follower.wait(ms);
    // While it waited, no key with the prefix changed.
    if (ring && this.ring === ring) return Math.max(from, isWoken ? this.before : ring.tail);
    return from;
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    let retryMs = FIRST_RETRY_MS;
    while (this.followers > 0 && !this.stopped.aborted) {
      try {
        await this.step();
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        if (error instanceof KvError && error.code === 'OFFSET_EXPIRED') this.forget();
        else this.logger.debug({ err: error }, 'the log of changes was not read');
        await delay(retryMs, undefined, { ref: false });
        retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
      }
    }
    // At once, so that whoever comes next starts it again.
    this.isRunning = false;
    this.forget();
  }

  private async step(): Promise<void> {
    if (!this.ring) {
      this.ring = new Ring(await this.log.mark(), RING_BYTES);
      this.before = this.ring.tail;
      // Whoever waited before does not know what was missed.
      this.waiters.wakeAll();
      return;
    }
    const { ring } = this;
    const { changes, next } = await this.log.read(ring.tail, STEP_BYTES, this.waitMs);
    this.before = ring.tail;
    ring.append(changes, next);
    this.waiters.wake(changes.map(({ key }) => key));
    if (changes.length > 0) await delay(GATHER_MS, undefined, { ref: false });
  }

  /** Those who wait have to ask the store where they are. */
  private forget(): void {
    this.ring = undefined;
    this.waiters.wakeAll();
  }
}
