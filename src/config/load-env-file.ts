import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config.errors.js';

/**
 * Sets what the file says and `variables` do not. There, too, a variable that is set to nothing counts as not set.
 * A file that does not exist says nothing.
 * @throws {ConfigError} when it cannot be read.
 */
export function loadEnvFile(path: string, variables: NodeJS.ProcessEnv): void {
  if (!existsSync(path)) return;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(`${path} cannot be read: ${(error as Error).message}`);
  }
  for (const [name, value] of Object.entries(parseEnv(text))) variables[name] ||= value;
}
