import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../config/config.js';
import { hostPort } from '../config/host-port.js';
import type { Log } from '../logging/log.js';
import { EmbeddedTarantool } from './embedded-tarantool.js';
import { openAddressWarning } from './open-address.js';
import type { Server } from './server.js';
import { onStopSignal } from './signals.js';
import { WorkerPool } from './worker-pool.js';

/**
 * Runs the supervising process. It starts the embedded Tarantool and beside it the workers, which already listen
 * while Tarantool loads. It restarts both when they die. It stops the workers first, and then Tarantool. With one
 * worker it serves by itself.
 * @throws {StartupError}
 */
export async function runPrimary(config: Config, log: Log): Promise<void> {
  const { logger } = log;
  const tarantool = config.tarantool.embedded
    ? new EmbeddedTarantool(config.tarantool, config.limits, logger)
    : undefined;
  const pool = config.workers > 1 ? new WorkerPool(config.workers, secrets(config), log) : undefined;
  let server: Server | undefined;

  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) {
      void pool?.kill();
      tarantool?.kill();
      process.exit(1);
    }
    isStopping = true;
    logger.info({ signal }, 'stopping');
    await pool?.stop(config.http.shutdownTimeoutMs);
    await server?.stop();
    await tarantool?.stop();
    logger.info('stopped');
    process.exit(0);
  };
  onStopSignal((signal) => void stop(signal));

  const listen = async (): Promise<number> => {
    if (pool) return pool.start();
    const { Server } = await import('./server.js');
    server = await Server.start(config, logger);
    return server.port;
  };
  let isLoaded = false;
  const load = async (): Promise<void> => {
    await tarantool?.start();
    isLoaded = true;
  };

  try {
    const listening = listen().then((port) => {
      const url = `http://${hostPort(config.http.host, port)}`;
      if (!isLoaded) logger.info(`the store is loading: until it serves, ${url} answers 503`);
      return url;
    });
    const [url] = await Promise.all([listening, load()]);
    const connected = (pool ?? server)?.whenConnected();
    // An external store that is unreachable does not delay the message that the service listens.
    if (tarantool)
      await Promise.race([connected, delay(config.tarantool.timeoutMs, undefined, { ref: false })]);
    const { host, port } = config.tarantool;
    const store = tarantool ? 'embedded' : hostPort(host, port);
    const { limits, throttle, workers } = config;
    if (isStopping) return;
    logger.info({ store, workers, limits, throttle }, `listening on ${url}`);
    const warning = openAddressWarning(config, url);
    if (warning !== undefined) logger.warn(warning);
  } catch (error) {
    if (isStopping) return;
    await Promise.all([pool?.kill(), tarantool?.stop()]);
    throw error;
  }
}

/** What workers cannot read for themselves: a password was made here, and a file may have another content by now. */
function secrets({ tarantool, access }: Config): Record<string, string> {
  return {
    TARANTOOL_PASSWORD: tarantool.password,
    ADMIN_TOKEN: access.adminToken ?? '',
    ADMIN_TOKEN_FILE: '',
  };
}
