/** The environment holds a value that the service does not accept. The message is one line for the operator. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
