import type { Ttl } from './entry.js';
import { KvError } from './kv.errors.js';
import { parseTimestamp } from './timestamp.js';

/** Ten years, in seconds. */
export const MAX_TTL_S = 315_360_000;

/** The members of a body that say when an entry ends. */
export interface EndMembers {
  readonly ttl?: number | 'keep' | null;
  readonly expires_at?: string | number;
}

export function isTtl(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_TTL_S;
}

/** A time as RFC 3339 writes it, or in milliseconds since the epoch. */
export function isTime(member: unknown): member is string | number {
  return typeof member === 'string' ? parseTimestamp(member) !== undefined : Number.isInteger(member);
}

/**
 * The end that a body asks for; undefined for none. An absolute one has to be ahead of us and within the ten years of a `ttl`, by the
 * clock of this process: seconds sent for milliseconds are refused, rather than to make an entry that is gone at once.
 * @throws {KvError} INVALID_BODY
 */
export function readTtl({ ttl, expires_at: time }: EndMembers): Ttl | undefined {
  if (time === undefined) return ttl ?? undefined;
  const expiresAtMs = typeof time === 'string' ? parseTimestamp(time) : time;
  const now = Date.now();
  if (ttl !== undefined || !expiresAtMs || expiresAtMs <= now || expiresAtMs > now + MAX_TTL_S * 1000) {
    throw new KvError('INVALID_BODY');
  }
  return { expiresAtMs };
}

/**
 * As `readTtl`, where one of the two has to be there.
 * @throws {KvError} INVALID_BODY
 */
export function requireTtl(members: EndMembers): Ttl | undefined {
  if (members.ttl === undefined && members.expires_at === undefined) throw new KvError('INVALID_BODY');
  return readTtl(members);
}
