import type { Config } from '../config/config.js';
import type { Logger } from '../logging/logger.js';
import { Server } from './server.js';
import { onStopSignal } from './signals.js';

/** What a worker tells the primary. */
export type WorkerMessage = { type: 'serving' } | { type: 'failed'; reason: string };

/** A worker process: serves until a signal tells it to stop. Without the primary it does not live. */
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
  // Only now: before it serves there is nothing to finish, and a signal ends it at once.
  let stopping: Promise<void> | undefined;
  onStopSignal(() => {
    stopping ??= server.stop().then((finished) => process.exit(finished ? 0 : 1));
  });
  tell({ type: 'serving' });
}

function tell(message: WorkerMessage): void {
  process.send?.(message);
}
