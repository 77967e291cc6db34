import type { KvErrorCode } from '../entries/kv.errors.js';

/** What a stored function answers first. The other home of these codes is tarantool/kv/outcome.lua; a test compares them. */
export const OUTCOME = {
  OK: 0,
  NOT_FOUND: 1,
  EXISTS: 2,
  PRECONDITION_FAILED: 3,
  ABORTED: 4,
  LARGE: 5,
  READ_ONLY: 10,
  FAILED: 11,
} as const;

/** Outcomes that refuse, by code. */
export const REFUSALS: Readonly<Record<number, KvErrorCode>> = {
  [OUTCOME.NOT_FOUND]: 'KEY_NOT_FOUND',
  [OUTCOME.EXISTS]: 'KEY_EXISTS',
  [OUTCOME.PRECONDITION_FAILED]: 'PRECONDITION_FAILED',
};
