import { forgetPeak } from '../proc.mjs';

const MIB = 2 ** 20;
const KIB_OF_A_CONNECTION = 8;
const KIB_OF_A_WATCHER = 9;

/** What each process may have resident, in MiB: the formula of docs/operations.md, "Memory of the processes". */
export function boundsOf({
  MAX_BODIES_MIB,
  MAX_ANSWERS_MIB,
  MAX_CONNECTIONS,
  MAX_WATCHERS,
  TARANTOOL_MEMORY,
  WORKERS,
}) {
  const clients = (KIB_OF_A_CONNECTION * MAX_CONNECTIONS + KIB_OF_A_WATCHER * MAX_WATCHERS) / 1024;
  return {
    first: 90 + 16,
    worker: 220 + 128 + 48 + MAX_BODIES_MIB + 2 * MAX_ANSWERS_MIB + clients,
    store: 30 + TARANTOOL_MEMORY + (64 + MAX_ANSWERS_MIB) * WORKERS,
  };
}

/** The most MiB that each kind of process has had resident since the last call, as Linux counts it. */
export function takePeaks({ pids, memoryOfFirst, memoryOfWorkers, memoryOfStore }) {
  const peaks = {
    first: memoryOfFirst().peak,
    worker: Math.max(...memoryOfWorkers().map(({ peak }) => peak)),
    store: memoryOfStore().peak,
  };
  pids.forEach(forgetPeak);
  return Object.fromEntries(Object.entries(peaks).map(([name, bytes]) => [name, Math.round(bytes / MIB)]));
}
