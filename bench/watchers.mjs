// What clients that wait for changes cost: the memory of each, and how long after its commit a change is received.
//   node bench/watchers.mjs [--watchers 10000] [--active 1000] [--rate 1000] [--seconds 20]
// Each watcher has a prefix of its own. Writes go to the keys of the active ones. The watchers are in this process,
// on the same cores.
import { createHistogram } from 'node:perf_hooks';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setUp } from '../scripts/setup.mjs';
import { kv } from './contestants/kv.mjs';
import { stopAll } from './processes.mjs';

const { values } = parseArgs({
  options: {
    watchers: { type: 'string', default: '10000' },
    active: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '1000' },
    seconds: { type: 'string', default: '20' },
  },
});
const [WATCHERS, ACTIVE, RATE, SECONDS] = ['watchers', 'active', 'rate', 'seconds'].map((name) =>
  Number(values[name]),
);
const OPENED_TOGETHER = 50;
const WRITERS = 64;
/** One address may not have more connections than it leaves to others. */
const WATCHERS_OF_AN_ADDRESS = 500;
const SETTLE_MS = 5000;
const KIB = 1024;

/** When each write was acknowledged, and when its change was received, by what it wrote. */
const acknowledged = new Map();
const arrived = new Map();
const latencies = createHistogram();

setUp();
try {
  const service = await kv('kv', { environment: { MAX_CONNECTIONS: 2 * WATCHERS } }).start();
  const memory = () => service.memoryOfWorkers().reduce((sum, { resident }) => sum + resident, 0);
  await sleep(SETTLE_MS);
  const before = memory();
  for (let i = 0; i < WATCHERS; i += OPENED_TOGETHER) {
    const together = Math.min(OPENED_TOGETHER, WATCHERS - i);
    await Promise.all(Array.from({ length: together }, (_, j) => watch(service.port, i + j)));
  }
  await sleep(SETTLE_MS);
  const each = (memory() - before) / WATCHERS / KIB;
  console.log(`${WATCHERS} idle watchers: ${each.toFixed(1)} KiB of memory each`);

  const sent = await write(service.port);
  await sleep(SETTLE_MS);
  // A change may be received before its writer has the answer.
  for (const [id, at] of arrived) {
    latencies.record(Math.max(1, Math.round((at - acknowledged.get(id)) * 1000)));
  }
  const ms = (percentile) => (latencies.percentile(percentile) / 1000).toFixed(1);
  console.log(
    `${RATE} writes/s to ${ACTIVE} of them: ${sent} written, ${arrived.size} received, ` +
      `after p50 ${ms(50)} ms, p99 ${ms(99)} ms, p99.9 ${ms(99.9)} ms`,
  );
  process.exitCode = arrived.size === sent ? 0 : 1;
} finally {
  await stopAll();
}
process.exit();

/** Resolves when the watcher has its first event, and so follows. */
function watch(port, i) {
  const localAddress = `127.1.${Math.floor(i / WATCHERS_OF_AN_ADDRESS / 250)}.${1 + (Math.floor(i / WATCHERS_OF_AN_ADDRESS) % 250)}`;
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  socket.write(
    `GET /changes?live=sse&offset=now&prefix=w/${i}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-Id: w\r\n\r\n`,
  );
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('a watcher was cut off')));
    socket.on('data', (bytes) => {
      const now = performance.now();
      const text = bytes.toString('latin1');
      for (const [, id] of text.matchAll(/"value":\{"id":(\d+)\}/g)) {
        if (!arrived.has(Number(id))) arrived.set(Number(id), now);
      }
      if (text.includes('upToDate')) resolve();
    });
  });
}

/** Writes at a constant rate. @returns how many writes there were */
async function write(port) {
  const writers = await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      const socket = connect({ port, host: '127.0.0.1' });
      await new Promise((resolve) => socket.once('connect', resolve));
      const ids = [];
      socket.on('data', (bytes) => {
        const answers = bytes.toString('latin1').split('HTTP/1.1 200').length - 1;
        for (const id of ids.splice(0, answers)) acknowledged.set(id, performance.now());
      });
      return { socket, ids };
    }),
  );
  const start = performance.now();
  let sent = 0;
  while (sent < RATE * SECONDS) {
    for (const due = ((performance.now() - start) / 1000) * RATE; sent < due; sent++) {
      const body = `{"value":{"id":${sent}}}`;
      const key = encodeURIComponent(`w/${Math.floor(((sent % ACTIVE) * WATCHERS) / ACTIVE)}/key`);
      const { socket, ids } = writers[sent % WRITERS];
      ids.push(sent);
      socket.write(
        `PUT /kv/${key}?upsert=true HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    }
    await sleep(1);
  }
  for (const { socket } of writers) socket.end();
  return sent;
}
