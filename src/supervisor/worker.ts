import type { Config } from '../config/config.js';
import type { Logger } from '../logging/logger.js';
import { Server } from './server.js';
import { onStopSignal } from './signals.js';
import { tellPrimary } from './worker-message.js';
import { linkMetrics } from './worker-metrics.js';

/**
 * Runs a worker process, which serves until a signal tells it to stop. It ends when the primary ends.
 * @throws {StartupError}
 */
export async function runWorker(config: Config, logger: Logger): Promise<void> {
  const server = await Server.start(config, logger);
  if (server.metrics) linkMetrics(server.metrics);
  // Signals are handled only from here on. Before the worker serves there is nothing to finish, and a signal ends it
  // at once.
  let stopping: Promise<void> | undefined;
  onStopSignal(() => {
    stopping ??= server.stop().then((finished) => process.exit(finished ? 0 : 1));
  });
  tellPrimary({ type: 'listening', port: server.port });
  await server.whenConnected();
  tellPrimary({ type: 'connected' });
}
