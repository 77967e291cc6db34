import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { answers } from './support/answers.js';
import { freePort, startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const hasNginx = spawnSync('nginx', ['-v']).error === undefined;
if (!hasNginx) console.warn('skipped: there is no nginx');

/** Debian's defaults, except that nginx does not refuse large bodies itself. */
const config = (port: number, upstreams: string[]): string => `
  daemon off;
  pid nginx.pid;
  events {}
  http {
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    scgi_temp_path scgi;
    uwsgi_temp_path uwsgi;
    client_max_body_size 0;
    upstream kv { ${upstreams.map((url) => `server ${new URL(url).host};`).join(' ')} }
    server {
      listen 127.0.0.1:${port};
      location / { proxy_pass http://kv; }
      location /streamed/ { proxy_pass http://kv/; proxy_request_buffering off; }
    }
  }`;

describe.skipIf(!hasNginx)('behind nginx', () => {
  let service: TestApp;
  let other: NestFastifyApplication;
  let folder: string;
  let nginx: ChildProcess;
  let url: string;

  beforeAll(async () => {
    service = await startTestApp();
    other = await startInstance(service.config);
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    folder = await mkdtemp(join(tmpdir(), 'kv-nginx-'));
    // nginx's workers are another user, where root starts it.
    await chmod(folder, 0o755);
    await writeFile(join(folder, 'nginx.conf'), config(port, [service.url, await other.getUrl()]));
    nginx = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'], { stdio: 'ignore' });
    await vi.waitFor(async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    });
  });

  afterAll(async () => {
    const ended = once(nginx, 'close');
    nginx.kill('SIGTERM');
    await ended;
    await other.close();
    await service.stop();
    await rm(folder, { recursive: true });
  });

  it.each(['', '/streamed'])('refuses what is too large and stays in service, under %s/kv', async (path) => {
    const body = Buffer.alloc(20_000_000, 'x');
    for (let n = 0; n < 5; n++) {
      const put = await fetch(`${url}${path}/kv/state`, { method: 'PUT', body });
      expect([put.status, await put.json()]).toEqual([413, answers.tooLarge]);
      const get = await fetch(`${url}/kv/state`);
      expect([get.status, await get.json()]).toEqual([200, { value: { status: 'ok' } }]);
    }
  });
});
