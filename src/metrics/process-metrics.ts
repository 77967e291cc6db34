import { Inject, Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { Answers } from '../answers/answers.js';
import { ChangeFeed } from '../feed/change-feed.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { CallMetrics } from './call-metrics.js';
import { metric } from './metric.js';
import type { Metric } from './metric.js';
import { nodeMetrics, observed } from './node-metrics.js';
import { RequestMetrics } from './request-metrics.js';

/** What the HTTP server of a process holds. */
export interface ServerFigures {
  readonly connections: number;
  readonly bodiesBytes: number;
}

export const SERVER_FIGURES = Symbol('SERVER_FIGURES');

/** What this process tells of itself. It listens to its diagnostics channels from its beginning to its end. */
@Injectable()
export class ProcessMetrics implements OnModuleDestroy {
  private readonly requests = new RequestMetrics();
  private readonly calls = new CallMetrics();

  constructor(
    @Inject(SERVER_FIGURES) private readonly server: ServerFigures,
    private readonly answers: Answers,
    private readonly feed: ChangeFeed,
    private readonly tarantool: TarantoolClient,
  ) {
    observed();
    this.requests.start();
    this.calls.start();
  }

  onModuleDestroy(): void {
    this.requests.stop();
    this.calls.stop();
  }

  async metrics(): Promise<Metric[]> {
    const { server, answers, feed, tarantool } = this;
    return [
      ...this.requests.metrics(),
      metric('kv_connections', server.connections),
      metric('kv_watchers', feed.watchers),
      metric('kv_answers_bytes', answers.budget.used),
      metric('kv_bodies_bytes', server.bodiesBytes),
      ...this.calls.metrics(),
      metric('kv_store_calls_in_flight', tarantool.callsInFlight),
      metric('kv_store_connected', tarantool.isConnected ? 1 : 0),
      metric('kv_store_reconnects_total', Math.max(0, tarantool.logins - 1)),
      ...(await nodeMetrics()),
    ];
  }
}
