import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { documented } from './proxies.js';
import type { Proxy } from './proxies.js';
import { freePort } from './test-app.js';

const START = { timeout: 20_000 };

/** A proxy that runs, in front of a service on the same machine. */
export class ProxyProcess {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /** By default with the configuration of docs/proxies.md. */
  static async start(proxy: Proxy, upstreamPort: number, config = documented(proxy)): Promise<ProxyProcess> {
    const port = await freePort();
    const onOurPorts = (text: string): string =>
      text.replaceAll(/\b(?:8080|5000)\b/g, (found) => String(found === '8080' ? port : upstreamPort));
    const folder = await mkdtemp(join(tmpdir(), 'kv-proxy-'));
    await mkdir(join(folder, 'logs'));
    const file = join(folder, 'config');
    await writeFile(file, onOurPorts(proxy.wrap(config, folder)));
    const child = spawn(proxy.command, proxy.args(file, folder).map(onOurPorts), {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    const running = new ProxyProcess(port, child, folder);
    try {
      await vi.waitFor(() => canConnect(port), START);
    } catch (cause) {
      await running.stop();
      throw new Error(`${proxy.name} did not start:\n${output}`, { cause });
    }
    return running;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const closed = once(this.child, 'close');
      this.child.kill('SIGTERM');
      await closed;
    }
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function canConnect(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
