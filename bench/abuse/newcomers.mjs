import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, Connection } from '../connection.mjs';

/** A client gives up then. */
const TIMEOUT_MS = 10_000;

/**
 * Clients that connect, send one request and leave, at a constant rate.
 * @param addresses of the clients, in turn
 * @returns ms from connecting to the answer, of each that was answered 200; and how many were not
 */
export async function newcomers(port, request, { seconds, rate, addresses }) {
  const bytes = bytesOf(request);
  const latencies = [];
  let failed = 0;
  const visits = [];
  const start = performance.now();
  for (let n = 0; n < seconds * rate; n++) {
    await sleep(Math.max(0, start + (n / rate) * 1000 - performance.now()));
    visits.push(visit(addresses[n % addresses.length]));
  }
  await Promise.all(visits);
  return { latencies, failed };

  async function visit(address) {
    const began = performance.now();
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    /** @type {any} */
    let connection;
    try {
      const status = await new Promise((resolve, reject) => {
        signal.addEventListener('abort', reject);
        Connection.open(port, resolve, address).then((opened) => {
          connection = opened;
          opened.ended().then(reject, reject);
          opened.send(bytes);
        }, reject);
      });
      if (status !== 200) throw new Error(String(status));
      latencies.push(performance.now() - began);
    } catch {
      failed++;
    }
    connection?.close();
  }
}
