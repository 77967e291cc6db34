import type { DEFINITIONS } from './definitions.js';
import { metric } from './metric.js';
import type { Labels, Metric, Value } from './metric.js';

/** The upper bounds of the buckets, in seconds: from a tenth of a millisecond to ten seconds. */
export const BUCKETS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/**
 * How often something happened, by outcome, and how long it took. A request has four such counts. Here they take 0.2 µs
 * of processor time. With prom-client they take 1.8 µs, which is 3 % of a GET.
 */
export class Timing {
  private readonly buckets = BUCKETS.map(() => 0);
  private sum = 0;
  private count = 0;
  private readonly outcomes = new Map<string | number, number>();

  /** `seconds` is undefined where there was no duration. */
  add(outcome: string | number, seconds: number | undefined): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
    if (seconds === undefined) return;
    this.count++;
    this.sum += seconds;
    const bucket = BUCKETS.findIndex((bound) => seconds <= bound);
    const before = this.buckets[bucket];
    if (before !== undefined) this.buckets[bucket] = before + 1;
  }

  /** The values of a counter, with the outcome as one more label. */
  counts(labels: Labels, outcomeLabel: string): Value[] {
    return [...this.outcomes].map(([outcome, value]) => ({
      value,
      labels: { ...labels, [outcomeLabel]: String(outcome) },
    }));
  }

  /** The values of a histogram. Each bucket counts what is in the buckets before it, too. */
  histogram(name: string, labels: Labels): Value[] {
    let below = 0;
    const buckets = BUCKETS.map((le, i) => {
      below += this.buckets[i] ?? 0;
      return { value: below, labels: { le, ...labels }, metricName: `${name}_bucket` };
    });
    return [
      ...buckets,
      { value: this.count, labels: { le: '+Inf', ...labels }, metricName: `${name}_bucket` },
      { value: this.sum, labels, metricName: `${name}_sum` },
      { value: this.count, labels, metricName: `${name}_count` },
    ];
  }
}

type Name = keyof typeof DEFINITIONS;

/** A counter by outcome and a histogram of the same events, from their timings, each with its labels. */
export function timed(
  counter: Name,
  histogram: Name,
  outcomeLabel: string,
  timings: readonly (readonly [Labels, Timing])[],
): Metric[] {
  return [
    metric(
      counter,
      timings.flatMap(([labels, timing]) => timing.counts(labels, outcomeLabel)),
    ),
    metric(
      histogram,
      timings.flatMap(([labels, timing]) => timing.histogram(histogram, labels)),
    ),
  ];
}
