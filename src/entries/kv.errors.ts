import { Refusal } from './refusal.errors.js';

/** Why an operation on entries was not carried out. */
export type KvErrorCode =
  | 'INVALID_BODY'
  | 'INVALID_KEY'
  | 'INVALID_QUERY'
  | 'INVALID_CURSOR'
  | 'INVALID_PRECONDITION'
  | 'KEY_NOT_FOUND'
  | 'KEY_EXISTS'
  | 'PRECONDITION_FAILED'
  | 'TRANSACTION_ABORTED'
  | 'PATCH_TEST_FAILED'
  /** Others wrote the entry again and again between a patch's read and its write. */
  | 'PATCH_CONFLICT'
  /** Certainly not applied. */
  | 'STORAGE_UNAVAILABLE'
  /** A write was sent and no answer came: it may or may not have been applied. */
  | 'OUTCOME_UNKNOWN'
  /** The value fits the service's limits, but not a tuple of the store as it is set up. */
  | 'VALUE_TOO_LARGE';

export interface KvErrorOptions extends ErrorOptions {
  /** The version that the entry has, where that is what refused. */
  presentVersion?: number;
  /** Zero-based: of a transaction, the comparisons that do not hold, or the operation that was refused. */
  failed?: readonly number[];
}

export class KvError extends Refusal<KvErrorCode> {
  override readonly name = 'KvError';
  readonly presentVersion: number | undefined;
  readonly failed: readonly number[] | undefined;

  constructor(code: KvErrorCode, options?: KvErrorOptions) {
    super(code, options);
    this.presentVersion = options?.presentVersion;
    this.failed = options?.failed;
  }
}
