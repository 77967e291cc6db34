import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { isAlive, ServiceProcess } from './support/service-process.js';
import { Writers } from './support/writers.js';

const TIMEOUT_MS = 500;
/** FAULT_KILLS=10 makes a longer run. */
const KILLS = Number(process.env['FAULT_KILLS'] ?? 2);
/** The allowance by which a deadline may be missed, on a machine that has other work. */
const SLACK_MS = 2500;

let service: ServiceProcess;
let writers: Writers;
beforeAll(async () => {
  service = await ServiceProcess.start({ TARANTOOL_TIMEOUT: String(TIMEOUT_MS) });
});
beforeEach(async () => {
  writers = new Writers(service.url, 8);
  await writers.resumed();
});
afterEach(() => writers.stop());
afterAll(() => service.remove());

async function finish(): Promise<void> {
  await writers.stop();
  expect(writers.slowestMs).toBeLessThan(TIMEOUT_MS + SLACK_MS);
  await writers.verify();
}

describe('under constant writes', () => {
  // Holds entry.acknowledged-is-durable, status.503-storage, status.504, lost.kill.
  it('loses nothing when Tarantool is killed, again and again', async () => {
    for (let kills = 0; kills < KILLS; kills++) {
      const pid = service.tarantoolPid;
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => service.tarantoolPid, { interval: 10 }).toSatisfy((now) => now && now !== pid);
      await writers.resumed();
    }
    expect(writers.count('refused') + writers.count('unknown')).toBeGreaterThan(0);
    await finish();
  });

  // Holds lost.kill.
  it('loses nothing when a worker is killed, again and again', async () => {
    for (let kills = 0; kills < KILLS; kills++) {
      const pids = service.workerPids;
      const pid = pids[kills % pids.length] ?? 0;
      process.kill(pid, 'SIGKILL');
      await expect.poll(() => isAlive(pid), { interval: 10 }).toBe(false);
      await writers.resumed();
      await expect.poll(() => service.workerPids.length, { interval: 10 }).toBe(2);
    }
    await finish();
  });

  // Holds lost.kill.
  it('loses nothing when the primary is killed, and leaves no process behind', async () => {
    for (let kills = 0; kills < KILLS / 2; kills++) {
      const children = [service.tarantoolPid, ...service.workerPids];
      await service.signal('SIGKILL');
      await expect.poll(() => children.filter(isAlive), { interval: 10 }).toEqual([]);
      await service.start();
      await writers.resumed();
    }
    await finish();
  });

  it('answers in time while Tarantool is frozen, and goes on after', async () => {
    const pid = service.tarantoolPid;
    process.kill(pid, 'SIGSTOP');
    try {
      const before = writers.outcomes.size;
      await expect.poll(() => writers.outcomes.size).toBeGreaterThan(before + 16);
      const answer = await fetch(`${service.url}/kv/state`);
      expect([answer.status, await answer.json()]).toEqual([503, answers.unavailable]);
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      const ready = await fetch(`${service.url}/health/ready`);
      expect([ready.status, ready.headers.get('cache-control')]).toEqual([503, 'no-store']);
      expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    await writers.resumed();
    expect(service.tarantoolPid).toBe(pid);
    await finish();
  });
});
