import {
  TarantoolNotSentError,
  TarantoolOutcomeUnknownError,
  TarantoolServerError,
} from '../tarantool/tarantool-client.errors.js';
import { KvError } from '../entries/kv.errors.js';
import type { KvErrorCode } from '../entries/kv.errors.js';

/**
 * Errors of Tarantool (src/box/errcode.h) that are caused by the state of the store or its set-up. Every other error
 * of Tarantool is a bug of ours, and answered 500. Whichever error Tarantool reports, nothing was written.
 */
const NOT_APPLIED: Readonly<Record<number, KvErrorCode>> = {
  2: 'STORAGE_UNAVAILABLE', // ER_MEMORY_ISSUE
  7: 'STORAGE_UNAVAILABLE', // ER_READONLY
  40: 'STORAGE_UNAVAILABLE', // ER_WAL_IO
  42: 'STORAGE_UNAVAILABLE', // ER_ACCESS_DENIED
  110: 'VALUE_TOO_LARGE', // ER_MEMTX_MAX_TUPLE_SIZE
};

/** Throws the failure of a read. A read changes nothing, so it is safe to repeat. */
export function readFailure(error: unknown): never {
  if (error instanceof TarantoolServerError && !(error.code in NOT_APPLIED)) throw error;
  throw new KvError('STORAGE_UNAVAILABLE', { cause: error });
}

/** Throws the failure of a write. It tells apart whether the write was certainly not applied, or may have been. */
export function writeFailure(error: unknown): never {
  if (error instanceof TarantoolNotSentError) throw new KvError('STORAGE_UNAVAILABLE', { cause: error });
  if (error instanceof TarantoolOutcomeUnknownError) throw new KvError('OUTCOME_UNKNOWN', { cause: error });
  if (error instanceof TarantoolServerError) {
    const code = NOT_APPLIED[error.code];
    if (code) throw new KvError(code, { cause: error });
  }
  throw error;
}
