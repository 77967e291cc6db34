import type { Ttl } from './entry.js';
import { KvError } from './kv.errors.js';
import { parseTimestamp } from './timestamp.js';

/** Ten years, in seconds. */
const MAX_TTL_S = 315_360_000;

/** The members of a body that say when an entry expires. */
export interface EndMembers {
  readonly ttl?: number | 'keep' | null;
  readonly expires_at?: string | number;
}

export function isTtl(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_TTL_S;
}

/** Whether a member is a time: text as RFC 3339 writes it, or milliseconds since the epoch. */
export function isTime(member: unknown): member is string | number {
  return typeof member === 'string' ? parseTimestamp(member) !== undefined : Number.isInteger(member);
}

/**
 * Reads when an entry should expire. Returns undefined where the body does not say. An absolute time must lie in the
 * future, and at most ten years ahead by the clock of this process. So a time sent in seconds instead of milliseconds
 * is refused, and does not make an entry that has expired already.
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
 * Same as `readTtl`, for a body that must have one of the two members.
 * @throws {KvError} INVALID_BODY
 */
export function requireTtl(members: EndMembers): Ttl | undefined {
  if (members.ttl === undefined && members.expires_at === undefined) throw new KvError('INVALID_BODY');
  return readTtl(members);
}
