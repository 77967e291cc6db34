import { collectDefaultMetrics, Registry } from 'prom-client';
import type { Metric } from './metric.js';

/** A process observes itself once, however many applications it runs. */
let registry: Registry | undefined;

/** What prom-client tells of a Node process: its memory, its processor time, its event loop. */
export async function nodeMetrics(): Promise<Metric[]> {
  const metrics = (await observed().getMetricsAsJSON()) as unknown as Metric[];
  // Gauges with this end are against the conventions of Prometheus, and tell the same as others.
  const wanted = metrics.filter(({ name, type }) => type === 'counter' || !name.endsWith('_total'));
  // The mean over workers would hide one whose event loop is blocked.
  return wanted.map((one) =>
    one.name.startsWith('nodejs_eventloop_lag') ? { ...one, aggregator: 'max' } : one,
  );
}

/** Begins to observe. */
export function observed(): Registry {
  if (!registry) {
    registry = new Registry();
    collectDefaultMetrics({ register: registry });
  }
  return registry;
}
