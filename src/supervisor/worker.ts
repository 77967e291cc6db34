import type { Config } from '../config/config.js';
import type { Logger } from '../logging/logger.js';
import { Server } from './server.js';

/** What a worker tells the primary. */
export type WorkerMessage = { type: 'serving' } | { type: 'failed'; reason: string };

/** A worker process: serves until the primary, or a signal, tells it to stop. Without the primary it does not live. */
export async function runWorker(config: Config, logger: Logger): Promise<void> {
  let server: Server;
  try {
    server = await Server.start(config, logger);
  } catch (error) {
    tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
    process.disconnect();
    return;
  }
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopping ??= server.stop().then((finished) => process.exit(finished ? 0 : 1)));
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('message', (message) => {
    if (message === 'stop') void stop();
  });
  tell({ type: 'serving' });
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
