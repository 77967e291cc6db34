import { fileURLToPath } from 'node:url';
import { load } from '../load.mjs';
import { childrenOf, isAvailable, memoryOf, ticksOf } from '../proc.mjs';
import { freePort, start } from '../processes.mjs';
import { answers } from './answers.mjs';
import { WORKERS } from './workers.mjs';

const SERVICE = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** With this many entries the store has allocated its buffers. */
const FIRST_ENTRIES = 10_000;

export const KV_REQUESTS = {
  get: (key) => ({ method: 'GET', path: `/kv/${key}` }),
  put: (key, value) => ({ method: 'PUT', path: `/kv/${key}`, body: JSON.stringify({ value }) }),
  insert: (key, value) => ({ method: 'POST', path: '/kv', body: JSON.stringify({ key, value }) }),
  valueIn: (answer) => JSON.parse(answer).value,
};

/**
 * Every setting is given, so that neither the `.env` of this checkout nor a changed default influences the
 * measurement.
 */
const ENVIRONMENT = {
  HOST: '127.0.0.1',
  WORKERS,
  LOG_LEVEL: 'info',
  LOG_FORMAT: 'json',
  TRUST_PROXY: '',
  // The limiter is on and counts, but the limit is never reached.
  THROTTLE_LIMIT: 1_000_000_000,
  THROTTLE_TTL: 1000,
  TARANTOOL_EMBEDDED: 'true',
  TARANTOOL_HOST: '',
  TARANTOOL_PASSWORD: '',
  TARANTOOL_WAL_MODE: 'fsync',
  TARANTOOL_MEMORY: 2048,
  DATA_DIR: 'data',
};

/**
 * @typedef {object} Options
 * @property {object} [environment] variables that differ from ENVIRONMENT
 * @property {number} [entries] how many entries of `bytes` it holds from the start
 * @property {number} [bytes]
 * @property {boolean} [refusesAll] whether its limit is used up from the start
 */

/**
 * Our service as users run it, with its log in a file.
 * @param {string} name
 * @param {Options} [options]
 */
export function kv(name, { environment = {}, entries, bytes, refusesAll = false } = {}) {
  return {
    name,
    refusesAll,
    entries,
    async start() {
      const [port, tarantoolPort] = [await freePort(), await freePort()];
      const service = await start(process.execPath, [SERVICE], {
        env: { ...ENVIRONMENT, PORT: port, TARANTOOL_PORT: tarantoolPort, ...environment },
        // Each worker becomes ready on its own, and connections spread over the workers by chance. So several are
        // tried.
        isReady: answers(`http://127.0.0.1:${port}/health/ready`, 2 * WORKERS),
      });
      const instance = {
        port,
        ...KV_REQUESTS,
        stop: service.stop,
        loaded: 0,
        ...(isAvailable && gauges(service.pid)),
      };
      if (refusesAll) await fetch(`http://127.0.0.1:${port}/kv/state`);
      if (entries) await fill(instance, entries, bytes);
      return instance;
    },
  };
}

/** Records the memory that the entries take, without the memory that the first entries take. */
async function fill(instance, entries, bytes) {
  await load(instance, Math.min(entries, FIRST_ENTRIES), bytes);
  const before = instance.memoryOfStore?.();
  await load(instance, entries, bytes);
  if (!before) return;
  const after = instance.memoryOfStore();
  instance.bytesPerEntry = (after.resident - before.resident) / Math.max(1, entries - FIRST_ENTRIES);
}

function processesOf(primary) {
  const children = childrenOf(primary);
  const isTarantool = ({ command }) => command.startsWith('tarantool');
  const workers = children.filter((child) => !isTarantool(child)).map(({ pid }) => pid);
  if (workers.length !== WORKERS) throw new Error(`the service has ${workers.length} workers`);
  return { store: children.find(isTarantool).pid, workers };
}

function gauges(primary) {
  const { store, workers } = processesOf(primary);
  return {
    pids: [primary, store, ...workers],
    memoryOfFirst: () => memoryOf(primary),
    memoryOfWorkers: () => workers.map(memoryOf),
    memoryOfStore: () => memoryOf(store),
    ticksOfStore: () => ticksOf(store),
  };
}
