import { KvError } from '../entries/kv.errors.js';
import type { KvErrorCode } from '../entries/kv.errors.js';

/**
 * The first member of a stored function's answer. The same codes are defined for Lua in tarantool/kv/outcome.lua, and
 * a test compares them.
 */
export const OUTCOME = {
  OK: 0,
  NOT_FOUND: 1,
  EXISTS: 2,
  PRECONDITION_FAILED: 3,
  ABORTED: 4,
  LARGE: 5,
  GONE: 6,
  OFF: 7,
  REPLAYED: 8,
  REUSED: 9,
  READ_ONLY: 10,
  FAILED: 11,
  FULL: 12,
  UNSETTLED: 13,
} as const;

/** Outcomes that refuse one operation. */
const REFUSALS: Readonly<Record<number, KvErrorCode>> = {
  [OUTCOME.NOT_FOUND]: 'KEY_NOT_FOUND',
  [OUTCOME.EXISTS]: 'KEY_EXISTS',
  [OUTCOME.PRECONDITION_FAILED]: 'PRECONDITION_FAILED',
  [OUTCOME.REUSED]: 'IDEMPOTENCY_KEY_REUSED',
  [OUTCOME.FULL]: 'TOO_MANY_IDEMPOTENCY_KEYS',
  [OUTCOME.UNSETTLED]: 'OUTCOME_UNKNOWN',
};

/**
 * @param presentVersion the version of the existing entry, 0 where there is none
 * @throws {Error} for an unknown outcome: the store and the service do not fit each other.
 */
export function refusal(outcome: number, presentVersion = 0): KvError {
  const code = REFUSALS[outcome];
  if (!code) throw new Error(`the store answered with outcome ${outcome}, which is not known here`);
  return new KvError(code, presentVersion > 0 ? { presentVersion } : undefined);
}
