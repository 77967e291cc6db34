import 'reflect-metadata';
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { ConfigError } from './config/config.errors.js';
import { loadConfig } from './config/load-config.js';
import { loadEnvFile } from './config/load-env-file.js';
import { openLog } from './logging/log.js';
import { runPrimary } from './supervisor/primary.js';
import { StartupError } from './supervisor/startup.errors.js';

const DOT_ENV = fileURLToPath(new URL('../.env', import.meta.url));

// What becomes of our output is no reason to end.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
process.setSourceMapsEnabled(true);

try {
  if (cluster.isPrimary) loadEnvFile(DOT_ENV, process.env);
  const config = loadConfig(process.env);
  if (cluster.isPrimary) await runPrimary(config, openLog(config.log, 'primary'));
  else {
    // Nest and all that serves is loaded by who serves: a primary that only supervises starts without it, in half the time and memory.
    const { runWorker } = await import('./supervisor/worker.js');
    await runWorker(config, openLog(config.log, `worker-${cluster.worker?.id}`).logger);
  }
} catch (error) {
  if (!(error instanceof ConfigError || error instanceof StartupError)) throw error;
  process.stderr.write(`cannot start: ${error.message}\n`);
  process.exit(1);
}
