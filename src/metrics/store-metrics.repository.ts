import { Injectable } from '@nestjs/common';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { metric } from './metric.js';
import type { Metric } from './metric.js';
import { SharedQuestion } from './shared-question.js';

const NO_ARGUMENTS = Buffer.from([0x90]);

/** The longest that a page of metrics waits for the store. */
const MAX_WAIT_MS = 1000;

/** The metric of each figure that kv.stats tells. */
const METRICS = {
  writable: 'kv_store_writable',
  memory_used: 'kv_store_memory_used_bytes',
  memory_limit: 'kv_store_memory_limit_bytes',
  memory_full: 'kv_store_memory_full',
  entries: 'kv_entries',
  entries_bytes: 'kv_entries_bytes',
  expiring: 'kv_entries_expiring',
  expired: 'kv_entries_expired',
  expired_ms: 'kv_entries_expired_age_seconds',
  revision: 'kv_revision',
  changes: 'kv_changes',
  changes_bytes: 'kv_changes_bytes',
  changes_limit: 'kv_changes_limit_bytes',
  changes_oldest: 'kv_changes_oldest_revision',
  retries: 'kv_retries',
  retries_bytes: 'kv_retries_bytes',
  retries_limit: 'kv_retries_limit_bytes',
  tokens: 'kv_tokens',
} as const;

const isFigure = (name: string): name is keyof typeof METRICS => Object.hasOwn(METRICS, name);

/** What the store tells of itself. */
@Injectable()
export class StoreMetrics {
  private readonly question = new SharedQuestion(() => this.ask(), { freshMs: 0, waitMs: MAX_WAIT_MS });

  constructor(private readonly tarantool: TarantoolClient) {}

  /** None where the store does not answer in time. Everything else is told all the same. */
  metrics(): Promise<Metric[]> {
    return this.question.answer().catch(() => []);
  }

  private async ask(): Promise<Metric[]> {
    const answer = await this.tarantool.call('kv.stats', NO_ARGUMENTS);
    answer.arrayHeader();
    return Array.from({ length: answer.mapHeader() }, () => {
      const name = answer.string();
      const value = answer.integer();
      return isFigure(name) ? [metric(METRICS[name], name.endsWith('_ms') ? value / 1000 : value)] : [];
    }).flat();
  }
}
