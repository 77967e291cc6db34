import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { AccessConfig, TarantoolConfig } from '../config/config.js';
import { ACCESS, TARANTOOL } from '../config/config.tokens.js';
import { LOGGER } from '../logging/logger.js';
import type { Logger } from '../logging/logger.js';
import { longCallMs } from '../tarantool/long-call.js';
import { Access } from './access.js';
import { RIGHTS } from './rule.js';
import { hashToken } from './token.js';
import { TokensRepository } from './tokens.repository.js';
import type { StoredToken, StoredTokens } from './tokens.repository.js';

/** How long one call waits for a change. At least so often this process hears that what it knows is right. */
const WAIT_MS = 300;
/** What this process heard last is believed for so long. A token that is deleted is refused within a second. */
const BELIEVED_MS = 900;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 1000;

/** How `Authorization` may be remembered: as clients write it. */
const USUAL = /^Bearer [\w.~+/-]+=*$/;

export interface Known {
  readonly id: string;
  readonly access: Access;
}

interface KnownToken extends Known {
  readonly hash: Buffer;
}

/** The id of the token in the configuration. Other ids are longer. */
const ADMIN_ID = 'admin';

/** What this process knows of the tokens. It answers from its memory, and is told by the store of each change. */
@Injectable()
export class KnownTokens implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly admin: KnownToken | undefined;
  private byHash = new Map<string, KnownToken>();
  /**
   * The fields `Authorization` that were accepted since the tokens changed last, so that most requests cost no hash.
   * Looking for a field in a map compares hashes that are seeded for each process. So it tells nobody how much of a
   * guess is right. There are no more of them than tokens.
   */
  private readonly accepted = new Map<string, Known>();
  private generation = 0;
  /** Whether this process has heard of the tokens within the last second. It is read at each request. */
  isCurrent = false;
  private readonly forget = setTimeout(() => (this.isCurrent = false), BELIEVED_MS).unref();
  private isStopped = false;
  private readonly waitMs: number;
  /** The call that asks for the tokens at once. Whoever comes while it is under way waits for the next one. */
  private asking: Promise<void> | undefined;

  constructor(
    private readonly store: TokensRepository,
    @Inject(ACCESS) { adminToken }: AccessConfig,
    @Inject(TARANTOOL) { timeoutMs }: TarantoolConfig,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.waitMs = longCallMs(WAIT_MS, timeoutMs);
    if (adminToken !== undefined) {
      const access = new Access([{ prefix: '', rights: RIGHTS }]);
      this.admin = { id: ADMIN_ID, access, hash: Buffer.from(hashToken(adminToken)) };
    }
  }

  onApplicationBootstrap(): void {
    void this.run();
  }

  onApplicationShutdown(): void {
    this.isStopped = true;
    clearTimeout(this.forget);
  }

  /** Finds a valid token that was accepted before, by the field `Authorization` that shows it. */
  accept(authorization: string): Known | undefined {
    const known = this.accepted.get(authorization);
    return known?.access.isValid ? known : undefined;
  }

  /** Finds a valid token. `authorization` is the field that shows it. */
  find(token: string, authorization: string): Known | undefined {
    const text = hashToken(token);
    const hash = Buffer.from(text);
    const known = this.admin && timingSafeEqual(hash, this.admin.hash) ? this.admin : this.byHash.get(text);
    if (!known?.access.isValid || !timingSafeEqual(hash, known.hash)) return undefined;
    if (USUAL.test(authorization)) this.accepted.set(authorization, known);
    return known;
  }

  /**
   * Asks the store for the tokens at once. All who come while it is asked share the next call.
   * @throws {KvError} STORAGE_UNAVAILABLE
   */
  async refresh(): Promise<void> {
    // A call that is under way may have been answered before the change that the caller knows of.
    await this.asking?.catch(() => undefined);
    this.asking ??= this.hear(0).finally(() => (this.asking = undefined));
    await this.asking;
  }

  private async run(): Promise<void> {
    let retryMs = FIRST_RETRY_MS;
    while (!this.isStopped) {
      try {
        await this.hear(this.waitMs);
        retryMs = FIRST_RETRY_MS;
      } catch (error) {
        // Requests that meet the same failure are answered, and logged with it.
        this.logger.debug({ err: error }, 'the tokens were not read');
        await delay(retryMs, undefined, { ref: false });
        retryMs = Math.min(2 * retryMs, MAX_RETRY_MS);
      }
    }
  }

  private async hear(waitMs: number): Promise<void> {
    const read = await this.store.read(this.generation, waitMs);
    this.isCurrent = true;
    this.forget.refresh();
    this.learn(read);
    this.endExpired();
  }

  private learn({ generation, tokens }: StoredTokens): void {
    if (!tokens || generation === this.generation) return;
    this.generation = generation;
    const before = this.byHash;
    this.accepted.clear();
    this.byHash = new Map(tokens.map((token) => [token.hash, before.get(token.hash) ?? this.know(token)]));
    for (const [hash, { access }] of before) if (!this.byHash.has(hash)) access.end();
  }

  private know({ id, hash, rules, expiresAt }: StoredToken): KnownToken {
    return { id, hash: Buffer.from(hash), access: new Access(rules, expiresAt, this) };
  }

  private endExpired(): void {
    const now = Date.now();
    for (const { access } of this.byHash.values()) if (access.expiresAt <= now) access.end();
  }
}
