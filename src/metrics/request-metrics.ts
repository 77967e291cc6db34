import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ENDED_REQUESTS } from '../http/ended-requests.js';
import type { EndedRequest } from '../http/ended-requests.js';
import { THROTTLED_REQUESTS } from '../throttling/throttled-requests.js';
import { metric } from './metric.js';
import type { Metric } from './metric.js';
import { timed, Timing } from './timing.js';

/** Clients may send any method. Others than these have no label of their own. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** Counts the requests that end in this process. */
export class RequestMetrics {
  private readonly timings = new Map<string, Map<string, Timing>>();
  private throttled = 0;

  start(): void {
    subscribe(ENDED_REQUESTS.name, this.onEnded);
    subscribe(THROTTLED_REQUESTS.name, this.onThrottled);
  }

  stop(): void {
    unsubscribe(ENDED_REQUESTS.name, this.onEnded);
    unsubscribe(THROTTLED_REQUESTS.name, this.onThrottled);
  }

  metrics(): Metric[] {
    const all = [...this.timings].flatMap(([route, byMethod]) =>
      [...byMethod].map(([method, timing]) => [{ route, method }, timing] as const),
    );
    return [
      ...timed('kv_http_requests_total', 'kv_http_request_duration_seconds', 'status', all),
      metric('kv_throttled_total', this.throttled),
    ];
  }

  private readonly onEnded = (message: unknown): void => {
    const { route = 'none', method, status, seconds } = message as EndedRequest;
    let byMethod = this.timings.get(route);
    if (!byMethod) this.timings.set(route, (byMethod = new Map()));
    const known = METHODS.has(method) ? method : 'other';
    let timing = byMethod.get(known);
    if (!timing) byMethod.set(known, (timing = new Timing()));
    timing.add(status, seconds);
  };

  private readonly onThrottled = (): void => void this.throttled++;
}
