import { isAvailable } from './proc.mjs';
import { median } from './statistics.mjs';
import { wrk } from './wrk.mjs';

/** @returns bytes: of the store for each entry, and of a worker before and under load, and at its maximum */
export async function measureMemory({ workload, instances, rounds, seconds, progress }) {
  if (!isAvailable) return { workload, missing: 'this system has no /proc to read it from' };
  const [contestant] = workload.contestants;
  const instance = instances.get(contestant);
  const { entries } = contestant;
  const traffic = { ...workload.traffic, entries };
  const resident = [];
  for (let round = 1; round <= rounds; round++) {
    progress.show(workload, `${contestant.name}, round ${round} of ${rounds}`);
    await wrk(instance, traffic, { connections: workload.connections, seconds });
    resident.push(...instance.memoryOfWorkers().map((worker) => worker.resident));
  }
  const workers = instance.memoryOfWorkers();
  return {
    workload,
    entries,
    storeBytes: instance.memoryOfStore().resident,
    bytesPerEntry: instance.bytesPerEntry,
    workerBytes: median(resident),
    workerPeakBytes: Math.max(...workers.map(({ peak }) => peak)),
  };
}
