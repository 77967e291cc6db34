import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { ServiceProcess } from './support/service-process.js';

// A file system of a few MiB needs the right to mount one: root on Linux, not in every container.
const folder = mkdtempSync(join(tmpdir(), 'kv-small-'));
const canMount = ((): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

let service: ServiceProcess;
beforeEach(async () => {
  // What is written is random, since the log of writes compresses.
  // The disk has to be full before the memory is.
  service = await ServiceProcess.create({
    WORKERS: '1',
    TARANTOOL_MEMORY: '256',
    DATA_DIR: join(folder, 'data'),
  });
});
afterEach(async () => {
  await service.remove();
  if (canMount) execFileSync('umount', [folder]);
  rmSync(folder, { recursive: true });
});

// Holds lost.disk-full, message.disk-full, caller.503.
it.skipIf(!canMount)(
  'a full disk refuses writes with 503, serves reads, loses nothing, and recovers',
  async () => {
    await service.start();
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(8 << 20));
    const post = (i: number, bytes: number) =>
      fetch(`${service.url}/kv`, {
        method: 'POST',
        body: Buffer.from(
          JSON.stringify({ key: `k${i}`, value: { i, text: randomBytes(bytes).toString('base64') } }),
        ),
      });
    const isThere = async (i: number) => (await fetch(`${service.url}/kv/k${i}`, { method: 'HEAD' })).status;

    let acknowledged = 0;
    const postUntilRefused = async (bytes: number): Promise<Response> => {
      for (;;) {
        const answer = await post(acknowledged, bytes);
        if (answer.status !== 200) return answer;
        acknowledged++;
      }
    };
    const answer = await postUntilRefused(100_000);

    expect(acknowledged).toBeGreaterThan(0);
    expect([answer.status, await answer.json()]).toEqual([503, answers.unavailable]);
    expect(answer.headers.get('retry-after')).toBe('1');
    await expect
      .poll(() =>
        service.log.filter(({ msg }) => msg === 'storage unavailable').map(({ err }) => JSON.stringify(err)),
      )
      .toContainEqual(expect.stringContaining('Failed to write to disk'));
    expect(await isThere(acknowledged)).toBe(404);
    for (let i = 0; i < acknowledged; i++) expect(await isThere(i)).toBe(200);

    rmSync(ballast);
    await expect.poll(async () => (await post(acknowledged, 100_000)).status).toBe(200);

    await service.signal('SIGKILL');
    await service.start();
    for (let i = 0; i <= acknowledged; i++) expect(await isThere(i)).toBe(200);
  },
);
