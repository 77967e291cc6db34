import 'reflect-metadata';
import cluster from 'node:cluster';
import { ConfigError } from '../config/config.errors.js';
import { readConfig } from '../config/read-config.js';
import { openLog } from '../logging/log.js';
import { runPrimary } from './primary.js';
import { StartupError } from './startup.errors.js';
import { tellPrimary } from './worker-message.js';

/** Runs as the first process or as a worker. When it cannot start, the last line on standard error says why. */
export async function start(): Promise<void> {
  try {
    const config = readConfig();
    if (cluster.isPrimary) await runPrimary(config, openLog(config.log, 'primary'));
    else {
      // Nest and the rest of the server are loaded only by a process that serves. A primary that only supervises
      // starts without them, in half the time and memory.
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
