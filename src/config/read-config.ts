import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.js';
import { loadConfig } from './load-config.js';
import { loadEnvFile } from './load-env-file.js';

const DOT_ENV = fileURLToPath(new URL('../../.env', import.meta.url));

/**
 * Reads the configuration of this process from its environment, after `.env` has added to it; workers inherit the result.
 * @throws {ConfigError} when something in it is not taken.
 */
export function readConfig(): Config {
  if (cluster.isPrimary) loadEnvFile(DOT_ENV, process.env);
  return loadConfig(process.env);
}
