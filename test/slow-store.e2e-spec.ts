import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { isAlive, ServiceProcess } from './support/service-process.js';

let folder: string;
let service: ServiceProcess;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kv-slow-'));
  // Found before the real one. For the service it is a Tarantool that loads until it is told how to go on.
  const slow = `#!/bin/sh
    while [ ! -e ${folder}/go ]; do sleep 0.05; done
    . ${folder}/go
    PATH="\${PATH#*:}"
    exec tarantool "$@"
  `;
  writeFileSync(join(folder, 'tarantool'), slow, { mode: 0o755 });
  service = await ServiceProcess.create({ WORKERS: '1', PATH: `${folder}:${process.env['PATH']}` });
});
afterEach(async () => {
  await service.remove();
  rmSync(folder, { recursive: true });
});

/** Lets the store go on, after these commands. */
function goOn(commands = ''): void {
  writeFileSync(join(folder, 'go'), commands);
}

/** Starts it, and resolves when it takes requests while its store loads; what is given resolves when it says that it serves. */
async function startLoading(workers = '1'): Promise<{ started: Promise<void> }> {
  service.environment['WORKERS'] = workers;
  const started = service.start();
  started.catch(() => {});
  await expect.poll(() => service.probe('live')).toBe(200);
  return { started };
}

describe('while the embedded store loads', () => {
  // Holds limit.store-start.
  it('the service is live and not ready, refuses with 503, and serves once it says that it listens', async () => {
    const { started } = await startLoading('2');
    expect(await service.probe('ready')).toBe(503);
    const refused = await fetch(`${service.url}/kv/key`);
    expect([refused.status, await refused.json()]).toEqual([503, answers.unavailable]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await expect
      .poll(() => service.log.map(({ msg }) => msg))
      .toContainEqual(`the store is loading: until it serves, ${service.url} answers 503`);
    expect(service.log.map(({ msg }) => msg)).not.toContainEqual(expect.stringContaining('listening'));
    goOn();
    await started;
    const served = await Promise.all(Array.from({ length: 20 }, () => fetch(`${service.url}/kv/key`)));
    expect(new Set(served.map(({ status }) => status))).toEqual(new Set([404]));
  });

  it('a failure for good ends the service with exit code 1 and the reason in one line', async () => {
    const { started } = await startLoading();
    const pids = service.pids;
    goOn('echo "kv: the data is bad" >&2; exit 1');
    await expect(started).rejects.toThrow('ended with exit code 1: cannot start: kv: the data is bad\n');
    expect(service.stderr).toBe('cannot start: kv: the data is bad\n');
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('a store that is killed is told as such, and not by what it said before', async () => {
    const { started } = await startLoading();
    goOn('echo "recovering"; kill -KILL $$');
    await expect(started).rejects.toThrow('exit code 1');
    expect(service.stderr).toMatch(/^cannot start: tarantool was killed \(SIGKILL.*\n$/);
  });

  it('SIGTERM ends all processes', async () => {
    await startLoading('2');
    const pids = service.pids;
    expect(pids).toHaveLength(4);
    expect(await service.signal('SIGTERM')).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('a worker that dies is replaced, even if it has never listened', async () => {
    service.environment['WORKERS'] = '2';
    const started = service.start();
    await expect.poll(() => service.workerPids, { interval: 1 }).toHaveLength(2);
    const [victim] = service.workerPids;
    process.kill(victim ?? 0, 'SIGSTOP');
    await expect.poll(() => service.probe('live')).toBe(200);
    process.kill(victim ?? 0, 'SIGKILL');
    goOn();
    await started;
    await expect.poll(() => service.workerPids).toHaveLength(2);
    expect(service.workerPids).not.toContain(victim);
    expect(await service.probe('ready')).toBe(200);
  });
});

describe('a store that dies later', () => {
  it('is started again for ever, with growing delays, and the service goes on', async () => {
    goOn();
    await service.start();
    goOn('echo "kv: not now" >&2; exit 1');
    process.kill(service.tarantoolPid, 'SIGKILL');
    const delays = (): unknown[] =>
      service.log.filter(({ msg }) => msg.startsWith('Tarantool died')).map(({ delayMs }) => delayMs);
    await expect.poll(delays).toHaveLength(4);
    expect(delays()).toEqual([50, 100, 200, 400]);
    expect(service.log).toContainEqual(
      expect.objectContaining({ err: expect.objectContaining({ message: 'kv: not now' }) as unknown }),
    );
    goOn();
    await expect.poll(() => service.probe('ready')).toBe(200);
  });

  it('does not survive the first process, not even where it hears nothing', async () => {
    goOn();
    await service.start();
    const pid = service.tarantoolPid;
    process.kill(pid, 'SIGSTOP');
    await service.signal('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
});
