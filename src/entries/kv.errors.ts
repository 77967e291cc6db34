import { Refusal } from './refusal.errors.js';

/** Why an operation on entries was not carried out. */
export type KvErrorCode =
  | 'INVALID_BODY'
  | 'INVALID_KEY'
  | 'INVALID_QUERY'
  | 'INVALID_CURSOR'
  | 'INVALID_OFFSET'
  | 'INVALID_PRECONDITION'
  | 'INVALID_IDEMPOTENCY_KEY'
  | 'KEY_NOT_FOUND'
  | 'KEY_EXISTS'
  | 'PRECONDITION_FAILED'
  | 'TRANSACTION_ABORTED'
  | 'PATCH_TEST_FAILED'
  /** Other clients changed the entry between the read and the write of a patch, at every attempt. */
  | 'PATCH_CONFLICT'
  /** The key of a write that can be repeated belongs to another request. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** The log no longer holds what changed behind this offset, or never reached it. */
  | 'OFFSET_EXPIRED'
  /** The store keeps no log of changes. */
  | 'CHANGES_OFF'
  /** As many clients as this process may have follow the changes. */
  | 'TOO_MANY_WATCHERS'
  /** The store keeps as many answers of writes that can be repeated as it may. */
  | 'TOO_MANY_IDEMPOTENCY_KEYS'
  /** The operation was certainly not applied. */
  | 'STORAGE_UNAVAILABLE'
  /** A write was sent and no answer came: it may or may not have been applied. */
  | 'OUTCOME_UNKNOWN'
  /** The request shows no token that is valid. */
  | 'UNAUTHORIZED'
  /** The token has not the right that the request needs. */
  | 'FORBIDDEN'
  | 'TOKEN_NOT_FOUND'
  /** There are as many tokens as there may be. */
  | 'TOO_MANY_TOKENS'
  /** The value is within the service's limits, but larger than a tuple of this store may be. */
  | 'VALUE_TOO_LARGE';

export interface KvErrorOptions extends ErrorOptions {
  /** The version that the entry has, where the refusal was because of it. */
  presentVersion?: number;
  /**
   * Zero-based positions in a transaction: of the comparisons that do not hold, or of the operation that was refused.
   */
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
