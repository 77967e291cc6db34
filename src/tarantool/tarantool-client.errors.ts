/** The call was never sent and never will be, so it is safe to repeat it. */
export class TarantoolNotSentError extends Error {
  override readonly name = 'TarantoolNotSentError';
}

/** The call was sent and no usable answer came, so it may or may not have been executed. */
export class TarantoolOutcomeUnknownError extends Error {
  override readonly name = 'TarantoolOutcomeUnknownError';
}

/** The server at the store's address accepted our login, but could not prove that it is our store. */
export class TarantoolUnprovenError extends Error {
  override readonly name = 'TarantoolUnprovenError';
}

/** Tarantool answered with an error. Decide by `code` (`box.error.*`). The message is text for the log. */
export class TarantoolServerError extends Error {
  override readonly name = 'TarantoolServerError';

  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
