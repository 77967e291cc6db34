import { createHistogram } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, Connection } from './connection.mjs';
import { entryKey, keyOf, spell } from './keys.mjs';
import { valueOf } from './values.mjs';

/** The time before latencies are recorded. */
const SETTLE_MS = 300;
const DRAIN_MS = 10_000;
const TICK_MS = 1;

/** Opens connections from the addresses in turn, to be used by several calls of `pace`. */
export async function openSlots(instance, { connections, addresses = [] }) {
  const slots = [];
  for (let i = 0; i < connections; i++) {
    /** @type {Slot} */
    const slot = { onStatus() {}, onEnd() {} };
    const address = addresses[i % addresses.length];
    slot.connection = await Connection.open(instance.port, (status) => slot.onStatus(status), address);
    const end = () => slot.onEnd();
    void slot.connection.ended().then(end, end);
    slots.push(slot);
    // If all connections were opened at once, nearly all would go to one worker: this process keeps one core busy,
    // and the worker on the other core accepts them.
    await sleep(TICK_MS);
  }
  return slots;
}

/** @typedef {{connection?: any, due?: number, onStatus: (status: number) => void, onEnd: () => void}} Slot */

/**
 * Sends `traffic` (`pick` one or uniform) at a constant rate, independent of the answers and without coordinated
 * omission: a latency counts from the time when its request was due, even if no connection was free then. Up to 1 ms
 * of each latency comes from the timer.
 *
 * Each request takes this process about 40 µs, on the same cores.
 * @param {{seconds: number, rate: number, connections?: number, slots?: Slot[]}} options `slots` of `openSlots`;
 * without them, `connections` are opened and closed
 * @returns answers per second, latencies in ms, how many answers were a 4xx or 5xx, and how many requests had no
 * answer within ten seconds after the last one, or when a connection ended
 */
export async function pace(instance, traffic, options) {
  const { connections, seconds, rate, slots } = options;
  const next = requestsOf(instance, traffic);
  const latencies = createHistogram();
  const opened = slots ?? (await openSlots(instance, { connections }));
  const idle = [...opened];
  const periodMs = 1000 / rate;
  const total = Math.round(((SETTLE_MS + seconds * 1000) / 1000) * rate);
  let [sent, answered, refused] = [0, 0, 0];
  let isCut = false;

  for (const slot of opened) {
    slot.due = undefined;
    slot.onEnd = () => (isCut = true);
    slot.onStatus = (status) => {
      const now = performance.now();
      if (status >= 400) refused++;
      // The connection itself was refused.
      if (slot.due === undefined) return slot.onEnd();
      answered++;
      if (slot.due - start >= SETTLE_MS) latencies.record(Math.max(1, Math.round((now - slot.due) * 1000)));
      idle.push(slot);
      sendDue(now);
    };
  }

  const start = performance.now();
  const deadline = start + total * periodMs + DRAIN_MS;
  while (answered < total && !isCut && performance.now() < deadline) {
    sendDue(performance.now());
    await sleep(TICK_MS);
  }
  const elapsed = performance.now() - start;
  for (const slot of slots ? [] : opened) slot.connection.close();

  const ms = (percentile) => latencies.percentile(percentile) / 1000;
  return {
    requests: answered,
    rate: (answered / elapsed) * 1000,
    p50: ms(50),
    p99: ms(99),
    p999: ms(99.9),
    refused,
    broken: total - answered,
  };

  function sendDue(now) {
    while (idle.length > 0 && sent < total && start + sent * periodMs <= now) {
      const slot = idle.shift();
      slot.due = start + sent * periodMs;
      sent++;
      slot.connection.send(next());
    }
  }
}

/** @returns a function that makes the bytes of the next request */
function requestsOf(instance, { pick, reads, entries, bytes }) {
  const value = valueOf(bytes);
  const key =
    pick === 'one'
      ? () => spell(entryKey(bytes), instance)
      : () => keyOf(Math.floor(Math.random() * entries), instance);
  return () => bytesOf(Math.random() < reads ? instance.get(key()) : instance.put(key(), value));
}
