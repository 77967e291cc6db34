import { describe, expect, it } from 'vitest';
import { metric } from './metric.js';
import type { Metric } from './metric.js';
import { Timing } from './timing.js';
import { WorkerSums } from './worker-sums.js';

const WAIT_MS = 50;
const NAME = 'kv_http_request_duration_seconds';

/** What a worker tells that has refused so many requests and holds so many connections. */
const told = (throttled: number, connections: number): Metric[] => [
  metric('kv_throttled_total', throttled),
  metric('kv_connections', connections),
];

const figures = (metrics: readonly Metric[]): Record<string, number> =>
  Object.fromEntries(metrics.flatMap(({ name, values }) => values.map(({ value }) => [name, value])));

const answering = (sums: WorkerSums, id: number, metrics: () => readonly Metric[]): void =>
  sums.add(id, () => sums.answered(id, metrics()));

describe('the sums of workers', () => {
  it('are those of what each of them tells', async () => {
    const sums = new WorkerSums(0, WAIT_MS);
    answering(sums, 1, () => told(3, 10));
    answering(sums, 2, () => told(4, 20));
    expect(figures(await sums.sums())).toEqual({
      kv_throttled_total: 7,
      kv_connections: 30,
      kv_workers: 2,
      kv_workers_silent: 0,
      kv_workers_ended_total: 0,
    });
  });

  it('keep the counts of workers that have ended, and not their gauges', async () => {
    const sums = new WorkerSums(0, WAIT_MS);
    for (const id of [1, 2, 3]) {
      answering(sums, id, () => told(id, 10));
      await sums.sums();
      sums.remove(id);
    }
    answering(sums, 4, () => told(10, 5));
    const expected = {
      kv_throttled_total: 16,
      kv_connections: 5,
      kv_workers: 1,
      kv_workers_silent: 0,
      kv_workers_ended_total: 3,
    };
    expect(figures(await sums.sums())).toEqual(expected);
    expect(figures(await sums.sums())).toEqual(expected);
  });

  it('keep the histograms of workers that have ended', async () => {
    const sums = new WorkerSums(0, WAIT_MS);
    const timing = new Timing();
    timing.add(200, 0.003);
    const metrics = [metric(NAME, timing.histogram(NAME, { route: '/kv' }))];
    answering(sums, 1, () => metrics);
    await sums.sums();
    sums.remove(1);
    answering(sums, 2, () => metrics);
    const { values = [] } = (await sums.sums()).find(({ name }) => name === NAME) ?? {};
    const countsOf = (le: number | string): number[] =>
      values.filter(({ labels }) => labels['le'] === le).map(({ value }) => value);
    expect([countsOf(0.0025), countsOf(0.005), countsOf('+Inf')]).toEqual([[0], [2], [2]]);
  });

  it('have the last counts of a worker that does not answer, and ask it no second time', async () => {
    const sums = new WorkerSums(0, WAIT_MS);
    let asked = 0;
    let isHanging = false;
    sums.add(1, () => {
      asked++;
      if (!isHanging) sums.answered(1, told(3, 10));
    });
    answering(sums, 2, () => told(4, 20));
    await sums.sums();
    isHanging = true;
    for (let i = 0; i < 3; i++) {
      expect(figures(await sums.sums())).toMatchObject({
        kv_throttled_total: 7,
        kv_connections: 20,
        kv_workers_silent: 1,
      });
    }
    expect(asked).toBe(2);
    isHanging = false;
    sums.answered(1, told(5, 11));
    expect(figures(await sums.sums())).toMatchObject({ kv_throttled_total: 7, kv_workers_silent: 0 });
  });

  it('have the last counts of a worker that could not tell them', async () => {
    const sums = new WorkerSums(0, WAIT_MS);
    let metrics: Metric[] | undefined = told(3, 10);
    sums.add(1, () => sums.answered(1, metrics));
    await sums.sums();
    metrics = undefined;
    expect(figures(await sums.sums())).toMatchObject({ kv_throttled_total: 3, kv_workers_silent: 1 });
  });

  it('do not wait for a worker that dies meanwhile', async () => {
    const sums = new WorkerSums(0, 60_000);
    sums.add(1, () => sums.remove(1));
    expect(figures(await sums.sums())).toMatchObject({ kv_workers: 0, kv_workers_ended_total: 1 });
  });

  // Holds limit.metrics.
  it('are gathered once for all who ask meanwhile, and given again for a while', async () => {
    const sums = new WorkerSums(60_000, WAIT_MS);
    let asked = 0;
    sums.add(1, () => {
      asked++;
      sums.answered(1, told(asked, 1));
    });
    const all = await Promise.all([sums.sums(), sums.sums(), sums.sums()]);
    expect([...all, await sums.sums()].map((one) => figures(one)['kv_throttled_total'])).toEqual([
      1, 1, 1, 1,
    ]);
    expect(asked).toBe(1);
  });
});
