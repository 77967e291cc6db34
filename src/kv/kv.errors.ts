/** Why an operation on an entry was not carried out. */
export type KvErrorCode =
  | 'INVALID_BODY'
  | 'INVALID_KEY'
  | 'KEY_NOT_FOUND'
  | 'KEY_EXISTS'
  /** Certainly not applied. */
  | 'STORAGE_UNAVAILABLE'
  /** A write was sent and no answer came: it may or may not have been applied. */
  | 'OUTCOME_UNKNOWN'
  /** The value fits the service's limits, but not a tuple of the store as it is set up. */
  | 'VALUE_TOO_LARGE';

export class KvError extends Error {
  override readonly name = 'KvError';

  constructor(
    readonly code: KvErrorCode,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}
