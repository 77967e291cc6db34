import { readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ServiceProcess } from './support/service-process.js';

let service: ServiceProcess;
afterEach(() => service.remove());

/** A service that was killed with two writes in its last log, whose path this returns. */
async function killed(): Promise<string> {
  service = await ServiceProcess.start({ WORKERS: '1' });
  const folder = service.environment['DATA_DIR'] ?? '';
  for (const key of ['a', 'b'])
    await fetch(`${service.url}/kv`, { method: 'POST', body: Buffer.from(`{"key":"${key}","value":{}}`) });
  // Or it would start another one.
  process.kill(service.pid, 'SIGSTOP');
  process.kill(service.tarantoolPid, 'SIGKILL');
  await service.signal('SIGKILL');
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.xlog'));
  return join(folder, logs.toSorted().at(-1) ?? '');
}

describe('files that are damaged', () => {
  it('start without the write within which the last log was cut, and it is logged at warn', async () => {
    const log = await killed();
    await truncate(log, (await stat(log)).size - 5);
    await service.start();
    expect(service.log.filter(({ level }) => level === 40)).toMatchObject([
      {
        msg: expect.stringMatching(
          /\.xlog was cut within a write: it ends at byte \d+, and what follows is left out$/,
        ),
      },
    ]);
    const statuses = ['a', 'b'].map(async (key) => (await fetch(`${service.url}/kv/${key}`)).status);
    expect(await Promise.all(statuses)).toEqual([200, 404]);
  });

  it('do not start otherwise, and the last line says where the way out is described', async () => {
    const log = await killed();
    await truncate(log, 10);
    expect(await service.runToEnd()).toEqual({
      code: 1,
      stderr: `cannot start: kv: ${log} is damaged from byte 0 of 10 on; see "Damaged files" in docs/operations.md\n`,
    });
  });
});
