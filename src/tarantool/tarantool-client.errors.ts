/** The call never reached the wire and never will: it can be repeated without a thought. */
export class TarantoolNotSentError extends Error {
  override readonly name = 'TarantoolNotSentError';
}

/** The call may have been executed or not: it was sent, and no usable answer came. */
export class TarantoolOutcomeUnknownError extends Error {
  override readonly name = 'TarantoolOutcomeUnknownError';
}

/** Whoever answers at the store's address has logged us in, and does not know what our store knows. */
export class TarantoolUnprovenError extends Error {
  override readonly name = 'TarantoolUnprovenError';
}

/** Tarantool answered with an error. Decide by `code` (`box.error.*`); the message is the server's prose, for the log. */
export class TarantoolServerError extends Error {
  override readonly name = 'TarantoolServerError';

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
