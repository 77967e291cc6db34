import { readFileSync } from 'node:fs';
import { ConfigError } from './config.errors.js';

/**
 * Reads a secret from a file that holds nothing else, as Docker and systemd hand secrets out. An end of line behind it
 * does not belong to it.
 * @param variable the variable that names the file
 * @throws {ConfigError} where the file cannot be read. The message holds nothing of the file.
 */
export function readSecret(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new ConfigError(`${variable} is "${path}", which cannot be read: ${(error as Error).message}`);
  }
}
