// How a large store affects other clients: the latency of GETs while all of a million keys are walked under
// concurrent inserts and deletes, and while a million entries expire within one second.
// node bench/scale.mjs [--keys 1000000]
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setUp } from '../scripts/setup.mjs';
import { KV_REQUESTS, kv } from './contestants/kv.mjs';
import { load } from './load.mjs';
import { pace } from './pace.mjs';
import { launch, stopAll } from './processes.mjs';
import { median } from './statistics.mjs';

const WALKER = fileURLToPath(new URL('./walker.mjs', import.meta.url));
const { values } = parseArgs({ options: { keys: { type: 'string', default: '1000000' } } });
const KEYS = Number(values.keys);
const RATE = 2000;
const TRAFFIC = { pick: 'one', reads: 1, bytes: 100 };
const BYTES = 100;
const SECONDS = 10;
const TURN_SECONDS = 2;

/** CPU ticks per second of a store that has nothing to do. */
const REST_TICKS = 3;

/** The minimum number of entries that are loaded in a second. */
const LOADED_A_SECOND = 6000;
const MIN_LOAD_SECONDS = 20;

setUp();
try {
  const instance = await kv('kv', { environment: { TARANTOOL_MEMORY: 4096 } }).start();
  await load(instance, KEYS, BYTES);
  await latency(instance, SECONDS);
  await walk(instance);
  const alone = await latency(instance, SECONDS);
  show('GET alone', alone);
  await expire(instance, alone);
} finally {
  await stopAll();
}

function latency(instance, seconds) {
  return pace(instance, TRAFFIC, { connections: 16, seconds, rate: RATE });
}

function show(what, { p50, p99, p999 }, alone) {
  const ratio = alone ? `: ${(p99 / alone.p99).toFixed(2)} x the p99 alone` : '';
  console.log(`${what}: p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms${ratio}`);
}

async function walk(instance) {
  // At the lowest priority. This is as close to a client on another machine as one machine allows.
  const walker = launch('nice', ['-n', '19', process.execPath, WALKER, instance.port, KEYS], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  walker.stdout.on('data', (data) => (output += data));
  let isOver = false;
  const ended = once(walker, 'close').then(() => (isOver = true));
  const [alone, meanwhile] = [[], []];
  for (;;) {
    const during = await latency(instance, TURN_SECONDS);
    if (isOver) break;
    meanwhile.push(during);
    // In turn, because the other load of the machine varies.
    walker.kill('SIGSTOP');
    alone.push(await latency(instance, TURN_SECONDS));
    walker.kill('SIGCONT');
  }
  await ended;
  const { stayed, twice, churned, pages, first, last } = JSON.parse(output);
  console.log(`walk: ${stayed} keys that stayed, ${twice} seen twice, ${churned} others came and went`);
  console.log(
    `${pages} pages of 1000: of the first hundred ${ms(first)}, of the last ${ms(last)}, in the middle`,
  );
  if (meanwhile.length === 0) return console.log('the walk was over within a turn: nothing to compare');
  const times = meanwhile.map(({ p99 }, turn) => p99 / alone[turn].p99);
  console.log(
    `GET, p99 of each turn of ${TURN_SECONDS} s: walk paused ${list(alone)} ms, going on ${list(meanwhile)} ms`,
  );
  console.log(
    `${median(times).toFixed(2)} times, from ${Math.min(...times).toFixed(2)} to ${Math.max(...times).toFixed(2)}`,
  );
}

async function expire(instance, alone) {
  const before = instance.memoryOfStore?.();
  const until = Date.now() + 1000 * (MIN_LOAD_SECONDS + KEYS / LOADED_A_SECOND);
  // All entries expire in the same second, however long it takes to load them.
  const expiring = {
    ...instance,
    loaded: 0,
    insert: (key, value) => {
      const ttl = Math.max(1, Math.round((until - Date.now()) / 1000));
      const request = KV_REQUESTS.insert(`expiring-${key}`, value);
      return { ...request, body: JSON.stringify({ ...JSON.parse(request.body), ttl }) };
    },
  };
  await load(expiring, KEYS, BYTES);
  const left = until - Date.now();
  console.log(`loaded what expires ${ms(left)} before it does`);
  if (left < 2000) throw new Error('loading took too long: they do not expire within a second');
  const full = instance.memoryOfStore?.();
  await sleep(left - 1500);
  show('GET while they expire', await latency(instance, SECONDS), alone);
  show('GET after that', await latency(instance, SECONDS), alone);
  const listed = await fetch(`http://127.0.0.1:${instance.port}/kv?prefix=expiring-&limit=10`);
  const { items } = /** @type {{ items: unknown[] }} */ (await listed.json());
  console.log(`of them in a listing: ${items.length}`);
  // The resident memory does not show what the store holds, because the allocator keeps freed memory for later.
  await reinsert(instance, before, full);
}

/** The memory was freed if as many entries can be stored again without more memory. */
async function reinsert(instance, before, full) {
  if (!before) return;
  await swept(instance);
  await load(
    { ...instance, loaded: 0, insert: (key, value) => KV_REQUESTS.insert(`again-${key}`, value) },
    KEYS,
    BYTES,
  );
  const again = instance.memoryOfStore();
  const mib = ({ resident }) => `${Math.round(resident / 2 ** 20)} MiB`;
  console.log(
    `store: ${mib(before)} before, ${mib(full)} with them, ${mib(again)} with as many again after they expired`,
  );
}

/** The removal has ended when the store, which gets no requests, has nothing to do. */
async function swept({ ticksOfStore }) {
  for (let before = -Infinity, now = ticksOfStore(); now - before > REST_TICKS;) {
    await sleep(1000);
    [before, now] = [now, ticksOfStore()];
  }
}

function list(turns) {
  return turns.map(({ p99 }) => p99.toFixed(1)).join(' ');
}

function ms(milliseconds) {
  return `${milliseconds.toFixed(1)} ms`;
}
