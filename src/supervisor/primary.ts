import { randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import type { Log } from '../logging/log.js';
import { EmbeddedTarantool } from '../tarantool/embedded-tarantool.js';
import type { Server } from './server.js';
import { onStopSignal } from './signals.js';
import { WorkerPool } from './worker-pool.js';

/** A signal to a whole process group comes twice under npm, which hands it on: within 1 ms here. That is one signal. */
const SAME_SIGNAL_MS = 25;

/**
 * The process that supervises: the embedded Tarantool first, then the workers; both are restarted when they die, and stopped
 * in the other order. With one worker it serves by itself.
 * @throws {StartupError}
 */
export async function runPrimary(config: Config, log: Log): Promise<void> {
  const { logger } = log;
  if (config.tarantool.embedded && !config.tarantool.password) {
    config.tarantool.password = randomBytes(24).toString('base64url');
  }
  const tarantool = config.tarantool.embedded
    ? new EmbeddedTarantool(config.tarantool, config.limits, logger)
    : undefined;
  const pool =
    config.workers > 1
      ? new WorkerPool(config.workers, { TARANTOOL_PASSWORD: config.tarantool.password }, log)
      : undefined;
  let server: Server | undefined;

  let stoppingSince: number | undefined;
  const stop = async (signal: string): Promise<void> => {
    if (stoppingSince !== undefined) {
      if (performance.now() - stoppingSince < SAME_SIGNAL_MS) return;
      pool?.kill();
      tarantool?.kill();
      process.exit(1);
    }
    stoppingSince = performance.now();
    logger.info({ signal }, 'stopping');
    await pool?.stop(config.http.shutdownTimeoutMs);
    await server?.stop();
    await tarantool?.stop();
    logger.info('stopped');
    process.exit(0);
  };
  onStopSignal((signal) => void stop(signal));

  try {
    await tarantool?.start();
    if (pool) await pool.start();
    else {
      const { Server } = await import('./server.js');
      server = await Server.start(config, logger);
    }
  } catch (error) {
    if (stoppingSince !== undefined) return;
    pool?.kill();
    await tarantool?.stop();
    throw error;
  }
  const { host, port } = config.http;
  const store = tarantool ? 'embedded' : `${config.tarantool.host}:${config.tarantool.port}`;
  const { limits, throttle, workers } = config;
  logger.info({ store, workers, limits, throttle }, `listening on http://${host}:${port}`);
}
