// What a client that means harm does to the others, within the default rate: the latency of their GETs, on
// connections that are kept and on new ones, and the memory of each process, under each attack by itself and then
// under all of them at once. Exit code 1 when a p99 more than doubles, a GET of the others fails, or a process exceeds
// its bound of memory or is lost.
//   npm run abuse [-- --minutes 10] [--turns 1] [--only WORDS] [--rate 2000] [--set NAME=NUMBER …]
import { parseArgs } from 'node:util';
import { setUp } from '../scripts/setup.mjs';
import { OTHERS, PROXY } from './abuse/addresses.mjs';
import { attack } from './abuse/attack.mjs';
import { ATTACKS, ENTRIES } from './abuse/attacks.mjs';
import { boundsOf, takePeaks } from './abuse/memory.mjs';
import { newcomers } from './abuse/newcomers.mjs';
import { Report } from './abuse/report.mjs';
import { kv } from './contestants/kv.mjs';
import { WORKERS } from './contestants/workers.mjs';
import { yardstick } from './contestants/yardstick.mjs';
import { entryKey } from './keys.mjs';
import { openSlots, pace } from './pace.mjs';
import { stopAll } from './processes.mjs';
import { valueOf } from './values.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    turns: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    rate: { type: 'string', default: '2000' },
    set: { type: 'string', multiple: true, default: [] },
  },
});

/** The ordinary load, in GETs a second. It must be one that the machine bears: see what is measured alone. */
const RATE = Number(values.rate);
const TRAFFIC = { pick: 'one', reads: 1, bytes: 200 };
const CONNECTIONS = 64;
const NEW_CONNECTIONS_PER_SECOND = 50;
const SECONDS = 5;
/** Of each round with all attacks, one part is without the attack, one is the control, and the others are under the attack. */
const PARTS_OF_A_ROUND = 12;

/** The defaults, which the attacks are about. Each is given, so that nothing else influences the measurement. */
const LIMITS = {
  MAX_BODIES_MIB: 128,
  MAX_ANSWERS_MIB: 64,
  MAX_CONNECTIONS: 10_000,
  MAX_WATCHERS: 10_000,
  TARANTOOL_MEMORY: 256,
  WORKERS,
  ...Object.fromEntries(values.set.map((text) => text.split('=')).map(([name, n]) => [name, Number(n)])),
};
const ENVIRONMENT = { ...LIMITS, THROTTLE_LIMIT: 1000, THROTTLE_TTL: 1000, TRUST_PROXY: PROXY };

/** The connections that are kept from one window to the next. */
let slots;

setUp();
try {
  const names = Object.keys(ATTACKS).filter((name) => name.includes(values.only));
  const service = await kv('kv', { environment: ENVIRONMENT }).start();
  const control = await yardstick(TRAFFIC.bytes).start();
  const report = new Report(boundsOf(LIMITS), () => takePeaks(service));
  await insertAll({ ...ENTRIES, [entryKey(TRAFFIC.bytes)]: valueOf(TRAFFIC.bytes) }, service);
  await measure(service);

  const turns = Number(values.turns);
  for (const name of turns > 0 ? names : []) {
    for (let turn = 0; turn < turns; turn++) await round(name, [name], 1);
    report.show(name);
  }
  const end = performance.now() + Number(values.minutes) * 60_000;
  while (performance.now() < end) {
    await round('all at once', names, PARTS_OF_A_ROUND - 2);
    report.show('all at once');
  }
  process.exitCode = report.hasFailed ? 1 : 0;

  /**
   * In turn: without the attack; the control, where the same bytes go to a server that does nothing, so that it shows
   * what the attacker itself takes of the machine; and under the attack.
   */
  async function round(title, attacks, parts) {
    report.add(title, 'alone', await measure(service));
    const harmless = attack(control.port, attacks);
    report.add(title, 'control', await measure(service));
    await harmless.end();
    const harmful = attack(service.port, attacks);
    for (let part = 0; part < parts; part++) report.add(title, 'attacked', await measure(service));
    report.addStatuses(title, await harmful.end());
  }
} finally {
  await stopAll();
}

async function measure(service) {
  slots ??= await openSlots(service, { connections: CONNECTIONS, addresses: OTHERS });
  const request = service.get(entryKey(TRAFFIC.bytes));
  const fresh = { seconds: SECONDS, rate: NEW_CONNECTIONS_PER_SECOND, addresses: OTHERS };
  const [kept, visits] = await Promise.all([
    pace(service, TRAFFIC, { slots, seconds: SECONDS, rate: RATE - NEW_CONNECTIONS_PER_SECOND }),
    newcomers(service.port, request, fresh),
  ]);
  if (kept.broken > 0) {
    for (const { connection } of slots) connection.close();
    slots = undefined;
  }
  return { kept, fresh: visits };
}

async function insertAll(entries, service) {
  for (const [key, value] of Object.entries(entries)) {
    const { method, path, body } = service.insert(key, value);
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`http://127.0.0.1:${service.port}${path}`, { method, body, headers });
    if (answer.status !== 200) throw new Error(`${key}: ${answer.status} ${await answer.text()}`);
  }
}
