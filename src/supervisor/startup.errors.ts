/** The service cannot start. The message is one line for the operator. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
