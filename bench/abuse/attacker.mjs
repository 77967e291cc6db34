// One client that means harm: attacks by name, all of them within the rate of one client, until standard input ends.
// Then it writes how many answers of each status every attack has had, as JSON.
//   node bench/abuse/attacker.mjs PORT NAME…
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTACKER, PROXY } from './addresses.mjs';
import { ATTACKS } from './attacks.mjs';
import { get } from './requests.mjs';

/** Below the default of 1000 requests a second for one client. */
const PER_SECOND = 900;
/** An attack does not open all its connections at the same moment, or the system would drop some. */
const RAMP_MS = 0.2;
const RETRY_MS = 100;
/** Before a client that reads nothing sends its next request. */
const PAUSE_MS = 10;
/** What was not sent within this time is not caught up on. */
const CATCH_UP_MS = 100;
const STATUS_LINE = /^HTTP\/1\.1 (\d{3})/;

const [port, ...names] = process.argv.slice(2);
const seen = Object.fromEntries(names.map((name) => [name, {}]));
let nextAt = performance.now();

for (const name of names) {
  for (let i = 0; i < ATTACKS[name].connections; i++) void keepAttacking(ATTACKS[name], seen[name], i);
}
await once(process.stdin.resume(), 'end');
process.stdout.write(JSON.stringify(seen), () => process.exit());

/** One connection after the other. */
async function keepAttacking(attack, statuses, index) {
  await sleep(index * RAMP_MS);
  for (let i = 0; ; i++) {
    // Otherwise thousands of refused connections would be a flood of new ones, which fills the system's own queue.
    await turn();
    const socket = connect({
      port: Number(port),
      host: '127.0.0.1',
      localAddress: attack.isProxy ? PROXY : ATTACKER,
    });
    const closed = new Promise((resolve) => {
      socket.on('error', () => undefined).on('close', () => resolve('closed'));
    });
    const count = (status) => (statuses[status] = (statuses[status] ?? 0) + 1);
    if (attack.readsNothing) socket.pause();
    else {
      socket.on('data', (chunk) => {
        const status = STATUS_LINE.exec(chunk.toString('latin1', 0, 12))?.[1];
        if (status) count(status);
      });
    }
    while ((await sendOnce(attack, socket, closed, i)) !== 'closed') i++;
    count('closed');
    await sleep(RETRY_MS);
  }
}

/** @returns 'closed' when the connection has ended, or anything else when the next request may be sent */
async function sendOnce({ bytes, isProxy, isHeld, readsNothing }, socket, closed, i) {
  await turn();
  socket.write(isProxy ? fromNewAddress() : bytes[i % bytes.length]);
  if (isHeld) return closed;
  if (readsNothing) return Promise.race([closed, sleep(PAUSE_MS)]);
  return Promise.race([closed, once(socket, 'data').catch(() => 'closed')]);
}

/** Keeps the requests and the new connections together within the rate. */
async function turn() {
  nextAt = Math.max(nextAt, performance.now() - CATCH_UP_MS) + 1000 / PER_SECOND;
  const wait = nextAt - performance.now();
  if (wait > 1) await sleep(wait);
}

function fromNewAddress() {
  const address = Array.from({ length: 4 }, () => Math.floor(Math.random() * 254) + 1).join('.');
  return get('/kv/state', [`X-Forwarded-For: ${address}`]);
}
