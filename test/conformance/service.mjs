// The service as a user runs it, for all suites together, on free ports and a data folder of its own.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const START_MS = 60_000;
const POLL_MS = 50;

export default async function setup({ provide }) {
  const folder = await mkdtemp(join(tmpdir(), 'kv-conformance-'));
  const port = await freePort();
  const service = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: String(port),
      TARANTOOL_PORT: String(await freePort()),
      TARANTOOL_MEMORY: '64',
      DATA_DIR: folder,
      THROTTLE_LIMIT: '1000000',
      WORKERS: '2',
      LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await ready(service, url);
  provide('url', url);
  return async () => {
    const closed = once(service, 'close');
    service.kill('SIGTERM');
    await closed;
    await rm(folder, { recursive: true, force: true });
  };
}

async function ready(service, url) {
  const deadline = Date.now() + START_MS;
  for (;;) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
    if (answer?.ok) return;
    if (service.exitCode !== null || Date.now() > deadline) throw new Error('the service did not start');
    await sleep(POLL_MS);
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}
