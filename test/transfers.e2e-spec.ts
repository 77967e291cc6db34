import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { ServiceProcess } from './support/service-process.js';

const ACCOUNTS = 100;
const START = 1000;
const KILLS = Number(process.env['FAULT_KILLS'] ?? 2);
const CLIENTS = 6;

let service: ServiceProcess;
afterEach(() => service.remove());

interface Read {
  value: { balance: number };
  version: string;
}

/** Undefined where there was no answer, or one that leaves the outcome open. */
async function txn(body: object): Promise<{ results: Read[] } | undefined> {
  try {
    const answer = await fetch(`${service.url}/txn`, {
      method: 'POST',
      body: Buffer.from(JSON.stringify(body)),
    });
    const text = await answer.text();
    expect([200, 409, 503, 504]).toContain(answer.status);
    if (answer.status >= 500) await pause(20);
    return answer.status === 200 ? (JSON.parse(text) as { results: Read[] }) : undefined;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    await pause(20);
    return undefined;
  }
}

const accounts = Array.from({ length: ACCOUNTS }, (_, i) => `account-${i}`);

/** The sum of all accounts, read in one transaction. */
async function sum(): Promise<number | undefined> {
  const read = await txn({ success: accounts.map((key) => ({ op: 'get', key })) });
  return read?.results.reduce((total, { value }) => total + value.balance, 0);
}

async function transfer(from: string, to: string, amount: number): Promise<boolean> {
  const read = await txn({ success: [from, to].map((key) => ({ op: 'get', key })) });
  const [source, target] = read?.results ?? [];
  if (!source || !target) return false;
  const committed = await txn({
    compare: [
      { key: from, version: source.version },
      { key: to, version: target.version },
    ],
    success: [
      { op: 'update', key: from, value: { balance: source.value.balance - amount } },
      { op: 'update', key: to, value: { balance: target.value.balance + amount } },
    ],
  });
  return committed !== undefined;
}

it('transfers keep the sum while Tarantool is killed, again and again', { timeout: 90_000 }, async () => {
  service = await ServiceProcess.start({ TARANTOOL_TIMEOUT: '500' });
  await txn({ success: accounts.map((key) => ({ op: 'insert', key, value: { balance: START } })) });

  let isStopping = false;
  let transfers = 0;
  const sums: (number | undefined)[] = [];
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let i = client; !isStopping; i += 7) {
      const [from, to] = [accounts[i % ACCOUNTS], accounts[(i * 3 + 1) % ACCOUNTS]];
      if (from && to && from !== to && (await transfer(from, to, (i % 50) + 1))) transfers++;
    }
  });
  const reader = (async () => {
    while (!isStopping) sums.push(await sum());
  })();

  for (let kills = 0; kills < KILLS; kills++) {
    const before = transfers;
    await expect.poll(() => transfers, { interval: 5 }).toBeGreaterThan(before + 20);
    process.kill(service.tarantoolPid, 'SIGKILL');
    await expect.poll(() => service.tarantoolPid, { interval: 10 }).toBeGreaterThan(0);
  }
  const before = transfers;
  await expect.poll(() => transfers, { interval: 5 }).toBeGreaterThan(before);
  isStopping = true;
  await Promise.all([...clients, reader]);

  const seen = sums.filter((total) => total !== undefined);
  expect(seen.length).toBeGreaterThan(0);
  expect(new Set(seen)).toEqual(new Set([ACCOUNTS * START]));
  // A worker that has not reconnected to Tarantool has no answer yet. The first answer must be right.
  let total: number | undefined;
  await expect.poll(async () => (total = await sum())).toBeDefined();
  expect(total).toBe(ACCOUNTS * START);
});
