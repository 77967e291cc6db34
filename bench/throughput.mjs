import { proveStatus } from './prove.mjs';
import { spell } from './keys.mjs';
import { wrk } from './wrk.mjs';

/**
 * Sends as many requests as the contestants can answer, in rounds. In each round the contestants take turns.
 * @returns a row for each contestant: its rates and latencies, one of each round
 */
export async function measureThroughput({ workload, instances, rounds, seconds, warmUpSeconds, progress }) {
  const rows = workload.contestants.map((contestant) => ({ contestant, rates: [], p50us: [], p99us: [] }));
  for (const row of rows) await run(row, 'warming up', warmUpSeconds);
  for (let round = 1; round <= rounds; round++) {
    // Every other round runs backwards, so that no contestant always follows the same one.
    for (const row of round % 2 === 1 ? rows : rows.toReversed()) {
      const { rate, p50us, p99us } = await run(row, `round ${round} of ${rounds}`, seconds);
      row.rates.push(rate);
      row.p50us.push(p50us);
      row.p99us.push(p99us);
    }
  }
  return { workload, rows };

  async function run({ contestant }, phase, length) {
    progress.show(workload, `${contestant.name}, ${phase}`);
    const instance = instances.get(contestant);
    const wanted = contestant.isYardstick ? 200 : workload.status;
    if (wanted !== 200) await proveStatus(instance, instance.get(spell('absent', instance)), wanted);
    const traffic = { ...workload.traffic, entries: contestant.entries ?? workload.traffic.entries };
    const result = await wrk(instance, traffic, { connections: workload.connections, seconds: length });
    mustBeAsWanted(result, wanted, contestant);
    return result;
  }
}

/** @throws unless every request was answered as the workload expects */
export function mustBeAsWanted({ requests, refused, broken }, wanted, { name }) {
  const wantedToBeRefused = wanted >= 400 ? requests : 0;
  if (requests === 0) throw new Error(`${name} answered nothing`);
  if (broken > 0) throw new Error(`${name}: ${broken} of ${requests} requests got no answer`);
  if (refused !== wantedToBeRefused) {
    throw new Error(`${name}: ${refused} of ${requests} answers were 4xx or 5xx, not ${wantedToBeRefused}`);
  }
}
