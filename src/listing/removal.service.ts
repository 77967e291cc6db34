import { Injectable } from '@nestjs/common';
import { KvError } from '../entries/kv.errors.js';
import { RemovalRepository } from './removal.repository.js';

export interface Removed {
  readonly deleted: number;
  /** Whether there may be more entries with the prefix. */
  readonly remaining: boolean;
}

/**
 * How many steps one request takes at most: more than the highest limit needs. Where a request meets hardly anything
 * but entries that have expired, it ends before the limit.
 */
const MAX_STEPS = 256;

/** Removes entries by prefix, in small steps between which the store serves others. */
@Injectable()
export class RemovalService {
  constructor(private readonly entries: RemovalRepository) {}

  /**
   * Removes up to `limit` entries. It ends early after many steps, where `mayGoOn` says so, and where a step was certainly not applied
   * after others were.
   * @throws {KvError} STORAGE_UNAVAILABLE where nothing was removed; OUTCOME_UNKNOWN
   */
  async remove(prefix: string, limit: number, mayGoOn: () => boolean): Promise<Removed> {
    let deleted = 0;
    let after: string | undefined;
    let steps = 0;
    do {
      try {
        const { removed, next } = await this.entries.step(prefix, limit - deleted, after);
        deleted += removed;
        after = next;
      } catch (error) {
        if (deleted === 0 || !(error instanceof KvError) || error.code !== 'STORAGE_UNAVAILABLE') throw error;
        return { deleted, remaining: true };
      }
    } while (after !== undefined && deleted < limit && ++steps < MAX_STEPS && mayGoOn());
    return { deleted, remaining: after !== undefined };
  }
}
