import type { MetricsService } from '../metrics/metrics.service.js';
import type { Metric } from '../metrics/metric.js';
import type { PrimaryMessage } from './worker-message.js';
import { tellPrimary } from './worker-message.js';

/** Has a worker tell the primary its metrics, and ask it for those of all workers. */
export function linkMetrics(service: MetricsService): void {
  let settle = (_metrics: readonly Metric[] | undefined): void => {};
  process.on('message', (message: PrimaryMessage) => {
    if (message.type === 'metrics-asked') {
      const own = service.own().catch(() => undefined);
      void own.then((metrics) =>
        tellPrimary({ type: 'metrics', ...(metrics && { metrics }) }, () => undefined),
      );
    }
    if (message.type === 'metrics-gathered') settle(message.metrics);
  });
  // The service asks once at a time.
  service.gatherBy(
    () =>
      new Promise((resolve, reject) => {
        settle = (metrics) =>
          metrics ? resolve([...metrics]) : reject(new Error('the metrics were not gathered'));
        tellPrimary({ type: 'metrics-wanted' }, () => undefined);
      }),
  );
}
