import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import { loadConfig } from './load-config.js';
import { loadEnvFile } from './load-env-file.js';

const DOT_ENV = fileURLToPath(new URL('../../.env', import.meta.url));

/**
 * Reads the configuration of this process from its environment and from `.env`. Workers inherit the result.
 * @throws {ConfigError} when a variable has a value that is not accepted.
 */
export function readConfig(): Config {
  if (cluster.isPrimary) loadEnvFile(DOT_ENV, process.env);
  return loadConfig(process.env);
}
