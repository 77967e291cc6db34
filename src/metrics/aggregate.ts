import { AggregatorRegistry } from 'prom-client';
import type { Registry } from 'prom-client';
import type { Metric } from './metric.js';

type Sources = readonly (readonly Metric[])[];

/** The media type of the text (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const TEXT_FORMAT = 'text/plain; version=0.0.4; charset=utf-8';

/** Makes one of the metrics that several processes have told. */
export async function aggregate(sources: Sources): Promise<Metric[]> {
  return (await registryOf(sources).getMetricsAsJSON()) as unknown as Metric[];
}

/** The metrics in the text format of Prometheus. */
export function textOf(sources: Sources): Promise<string> {
  return registryOf(sources).metrics();
}

function registryOf(sources: Sources): Registry {
  return AggregatorRegistry.aggregate(sources.map((metrics) => [...metrics]));
}
