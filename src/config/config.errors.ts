/** The environment holds a value that the service does not take. The message is one line for whoever starts it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
