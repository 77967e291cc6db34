import { pace } from './pace.mjs';
import { median } from './statistics.mjs';
import { mustBeAsWanted } from './throughput.mjs';
import { wrk } from './wrk.mjs';

const PEAK_ROUNDS = 3;
const SHARE_OF_PEAK = 0.5;
const PERCENTILES = ['p50', 'p99', 'p999'];

/**
 * Measures latencies at half of the rate that the service reaches, with the same rate for all contestants, in rounds
 * as for throughput.
 * @returns the rate, and a row for each contestant: its latencies in ms, one of each round
 */
export async function measureLatency({ workload, instances, rounds, seconds, warmUpSeconds, progress }) {
  const { traffic, connections } = workload;
  const service = workload.contestants.find(({ isYardstick }) => !isYardstick);
  const peaks = [];
  await wrk(instances.get(service), traffic, { connections, seconds: warmUpSeconds });
  for (let i = 1; i <= Math.min(rounds, PEAK_ROUNDS); i++) {
    progress.show(workload, `${service.name}, peak, round ${i}`);
    peaks.push((await wrk(instances.get(service), traffic, { connections, seconds })).rate);
  }
  const rate = Math.round(SHARE_OF_PEAK * median(peaks));

  const rows = workload.contestants.map((contestant) => ({
    contestant,
    rates: [],
    p50: [],
    p99: [],
    p999: [],
  }));
  for (const row of rows) await run(row, 'warming up', warmUpSeconds);
  for (let round = 1; round <= rounds; round++) {
    for (const row of round % 2 === 1 ? rows : rows.toReversed()) {
      const result = await run(row, `round ${round} of ${rounds}`, seconds);
      row.rates.push(result.rate);
      for (const percentile of PERCENTILES) row[percentile].push(result[percentile]);
    }
  }
  return { workload, rate, rows };

  async function run({ contestant }, phase, length) {
    progress.show(workload, `${contestant.name} at ${rate}/s, ${phase}`);
    const result = await pace(instances.get(contestant), traffic, {
      connections,
      seconds: length,
      rate,
    });
    mustBeAsWanted(result, 200, contestant);
    return result;
  }
}
