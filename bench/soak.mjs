// Whether a worker grows under load: ten minutes of 90 % GET and 10 % PUT at full speed, with the memory of each
// process in each minute.
// node bench/soak.mjs [--minutes 10]
import { parseArgs } from 'node:util';
import { setUp } from '../scripts/setup.mjs';
import { kv } from './contestants/kv.mjs';
import { load } from './load.mjs';
import { stopAll } from './processes.mjs';
import { wrk } from './wrk.mjs';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const MINUTES = Number(values.minutes);
const TRAFFIC = { pick: 'uniform', entries: 10_000, reads: 0.9, bytes: 200 };
const SECONDS = 60;

const mib = ({ resident }) => Math.round(resident / 2 ** 20);

setUp();
try {
  const instance = await kv('kv').start();
  await load(instance, TRAFFIC.entries, TRAFFIC.bytes);
  console.log('minute  requests/s  workers, MiB  store, MiB');
  for (let minute = 1; minute <= MINUTES; minute++) {
    const { rate, refused, broken } = await wrk(instance, TRAFFIC, { connections: 64, seconds: SECONDS });
    if (refused + broken > 0) throw new Error(`${refused} requests refused, ${broken} without an answer`);
    const workers = instance.memoryOfWorkers().map(mib).join(' ');
    console.log(
      [String(minute).padStart(6), String(Math.round(rate)).padStart(10), workers.padStart(12)].join('  '),
      String(mib(instance.memoryOfStore())).padStart(11),
    );
  }
} finally {
  await stopAll();
}
