import 'reflect-metadata';
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../config/config.errors.js';
import { loadConfig } from '../config/load-config.js';
import { loadEnvFile } from '../config/load-env-file.js';
import { openLog } from '../logging/log.js';
import { runPrimary } from './primary.js';
import { StartupError } from './startup.errors.js';
import { tellPrimary } from './worker-message.js';

const DOT_ENV = fileURLToPath(new URL('../../.env', import.meta.url));

/** Becomes the first process, or a worker. What keeps it from starting is the last line on standard error. */
export async function start(): Promise<void> {
  try {
    if (cluster.isPrimary) loadEnvFile(DOT_ENV, process.env);
    const config = loadConfig(process.env);
    if (cluster.isPrimary) await runPrimary(config, openLog(config.log, 'primary'));
    else {
      // Nest and all that serves is loaded by who serves: a primary that only supervises starts without it, in half the time and memory.
      const { runWorker } = await import('./worker.js');
      await runWorker(config, openLog(config.log, `worker-${cluster.worker?.id}`).logger);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const isExpected = error instanceof ConfigError || error instanceof StartupError;
    if (!isExpected && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    if (cluster.isWorker) tellPrimary({ type: 'failed', reason }, () => process.exit(1));
    else {
      process.stderr.write(`cannot start: ${reason}\n`);
      process.exit(1);
    }
  }
}
