import { Injectable } from '@nestjs/common';
import { textOf } from './aggregate.js';
import { metric } from './metric.js';
import type { Metric } from './metric.js';
import { ProcessMetrics } from './process-metrics.js';
import { FRESH_MS, SharedQuestion } from './shared-question.js';
import { StoreMetrics } from './store-metrics.repository.js';

/** The longest that a page takes. Prometheus waits for 10 s. */
const MAX_WAIT_MS = 3000;

/** The metrics of the whole service, as a page of text. */
@Injectable()
export class MetricsService {
  private readonly question = new SharedQuestion(() => this.compose(), {
    freshMs: FRESH_MS,
    waitMs: MAX_WAIT_MS,
  });
  private gather: () => Promise<Metric[]>;

  constructor(
    private readonly process: ProcessMetrics,
    private readonly store: StoreMetrics,
  ) {
    this.gather = async () => [
      ...(await this.own()),
      metric('kv_workers', 1),
      metric('kv_workers_silent', 0),
      metric('kv_workers_ended_total', 0),
    ];
  }

  /** Sets how the metrics of all processes are gathered. Otherwise this process is the only one. */
  gatherBy(gather: () => Promise<Metric[]>): void {
    this.gather = gather;
  }

  /** The metrics of this process. */
  own(): Promise<Metric[]> {
    return this.process.metrics();
  }

  /** @throws {LateError} where the metrics are not gathered in time. */
  page(): Promise<string> {
    return this.question.answer();
  }

  private async compose(): Promise<string> {
    return textOf(await Promise.all([this.gather(), this.store.metrics()]));
  }
}
