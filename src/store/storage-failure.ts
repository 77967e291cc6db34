import {
  TarantoolNotSentError,
  TarantoolOutcomeUnknownError,
  TarantoolServerError,
} from '../tarantool/tarantool-client.errors.js';
import { KvError } from '../entries/kv.errors.js';
import type { KvErrorCode } from '../entries/kv.errors.js';

/**
 * What Tarantool refuses by these errors (src/box/errcode.h) is a state of the store or of its set-up. Any other is a bug of
 * ours, and a 500; whatever it throws, nothing was written.
 */
const NOT_APPLIED: Readonly<Record<number, KvErrorCode>> = {
  2: 'STORAGE_UNAVAILABLE', // ER_MEMORY_ISSUE
  7: 'STORAGE_UNAVAILABLE', // ER_READONLY
  40: 'STORAGE_UNAVAILABLE', // ER_WAL_IO
  42: 'STORAGE_UNAVAILABLE', // ER_ACCESS_DENIED
  110: 'VALUE_TOO_LARGE', // ER_MEMTX_MAX_TUPLE_SIZE
};

/** A read that failed: nothing can have been applied, so it is safe to ask again. */
export function readFailure(error: unknown): never {
  if (error instanceof TarantoolServerError && !(error.code in NOT_APPLIED)) throw error;
  throw new KvError('STORAGE_UNAVAILABLE', { cause: error });
}

/** A write that failed: whether it was applied is told apart. */
export function writeFailure(error: unknown): never {
  if (error instanceof TarantoolNotSentError) throw new KvError('STORAGE_UNAVAILABLE', { cause: error });
  if (error instanceof TarantoolOutcomeUnknownError) throw new KvError('OUTCOME_UNKNOWN', { cause: error });
  if (error instanceof TarantoolServerError) {
    const code = NOT_APPLIED[error.code];
    if (code) throw new KvError(code, { cause: error });
  }
  throw error;
}
