import type { Worker } from 'node:cluster';
import { WorkerSums } from '../metrics/worker-sums.js';
import type { PrimaryMessage, WorkerMessage } from './worker-message.js';

/** Gathers the metrics of the workers for the one that was asked for them. */
export class PoolMetrics {
  private readonly sums = new WorkerSums();

  /** From now on until it ends, this worker is asked too, and may ask. */
  watch(worker: Worker): void {
    this.sums.add(worker.id, () => tell(worker, { type: 'metrics-asked' }));
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'metrics') this.sums.answered(worker.id, message.metrics);
      if (message.type === 'metrics-wanted') void this.answer(worker);
    });
    worker.process.once('close', () => this.sums.remove(worker.id));
  }

  private async answer(worker: Worker): Promise<void> {
    const metrics = await this.sums.sums().catch(() => undefined);
    tell(worker, { type: 'metrics-gathered', ...(metrics && { metrics }) });
  }
}

function tell(worker: Worker, message: PrimaryMessage): void {
  // A worker that has just died cannot be told. The pool hears of its end.
  if (worker.isConnected()) worker.send(message, () => undefined);
}
