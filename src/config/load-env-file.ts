import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { ConfigError } from './config.errors.js';

/**
 * Sets the variables of the file that are not set in `variables`. An empty variable counts as not set, in the file
 * too. A missing file sets nothing.
 * @throws {ConfigError} when the file cannot be read.
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
