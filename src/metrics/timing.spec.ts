import { describe, expect, it } from 'vitest';
import { BUCKETS, Timing } from './timing.js';

const bucketsOf = (timing: Timing): Record<string, number> =>
  Object.fromEntries(
    timing
      .histogram('x', { route: '/kv' })
      .filter(({ metricName }) => metricName === 'x_bucket')
      .map(({ labels, value }) => [labels['le'], value]),
  );

describe('a timing', () => {
  it('counts a duration in its bucket and all behind it, the bound itself too', () => {
    const timing = new Timing();
    for (const seconds of [0, 0.0001, 0.00011, 10, 10.1]) timing.add('done', seconds);
    expect(bucketsOf(timing)).toEqual({
      ...Object.fromEntries(BUCKETS.map((bound) => [bound, 3])),
      '0.0001': 2,
      '10': 4,
      '+Inf': 5,
    });
    expect(timing.histogram('x', { route: '/kv' }).slice(-2)).toEqual([
      { value: expect.closeTo(20.10021) as number, labels: { route: '/kv' }, metricName: 'x_sum' },
      { value: 5, labels: { route: '/kv' }, metricName: 'x_count' },
    ]);
  });

  it('counts outcomes, and what had no duration only there', () => {
    const timing = new Timing();
    timing.add(200, 1);
    timing.add(200, 1);
    timing.add(503, undefined);
    expect(timing.counts({ route: '/kv' }, 'status')).toEqual([
      { value: 2, labels: { route: '/kv', status: '200' } },
      { value: 1, labels: { route: '/kv', status: '503' } },
    ]);
    expect(bucketsOf(timing)['+Inf']).toBe(2);
  });
});
