/** The service cannot start. The message is one line for whoever starts it. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
