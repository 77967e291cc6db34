import type { Definition } from './definitions.js';
import { DEFINITIONS } from './definitions.js';

export type Labels = Readonly<Record<string, string | number>>;

export interface Value {
  readonly value: number;
  readonly labels: Labels;
  /** The name of a part of a histogram. */
  readonly metricName?: string;
}

/** A metric with its values, in the form in which prom-client sums it over processes and writes it. */
export interface Metric extends Pick<Definition, 'help' | 'type' | 'aggregator'> {
  readonly name: string;
  readonly values: readonly Value[];
}

/** A metric of ours. A number is the value of a metric without labels. */
export function metric(name: keyof typeof DEFINITIONS, values: number | readonly Value[]): Metric {
  const { help, type, aggregator } = DEFINITIONS[name];
  return {
    name,
    help,
    type,
    aggregator,
    values: typeof values === 'number' ? [{ value: values, labels: {} }] : values,
  };
}
