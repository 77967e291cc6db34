import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { ENDED_CALLS } from '../tarantool/ended-calls.js';
import type { EndedCall } from '../tarantool/ended-calls.js';
import type { Metric } from './metric.js';
import { timed, Timing } from './timing.js';

/** Counts the calls to the store that end in this process. */
export class CallMetrics {
  private readonly timings = new Map<string, Timing>();

  start(): void {
    subscribe(ENDED_CALLS.name, this.onEnded);
  }

  stop(): void {
    unsubscribe(ENDED_CALLS.name, this.onEnded);
  }

  metrics(): Metric[] {
    const all = [...this.timings].map(([name, timing]) => [{ function: name }, timing] as const);
    return timed('kv_store_calls_total', 'kv_store_call_duration_seconds', 'outcome', all);
  }

  private readonly onEnded = (message: unknown): void => {
    const { functionName, outcome, seconds } = message as EndedCall;
    let timing = this.timings.get(functionName);
    if (!timing) this.timings.set(functionName, (timing = new Timing()));
    timing.add(outcome, outcome === 'not_sent' ? undefined : seconds);
  };
}
