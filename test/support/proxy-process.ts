import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { documented } from './proxies.js';
import type { Proxy } from './proxies.js';
import { send } from './send.js';
import { freePort } from './test-app.js';

const START = { timeout: 20_000 };

/** Changes to the configuration of the page. */
export type Change = readonly [from: string, to: string];

/** A running proxy in front of a service on the same machine. */
export class ProxyProcess {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Runs the configuration of docs/proxies.md, with these changes. @returns when the service can be asked through it. */
  static async start(
    proxy: Proxy,
    upstreamPort: number,
    changes: readonly Change[] = [],
  ): Promise<ProxyProcess> {
    const port = await freePort();
    const onOurPorts = (text: string): string =>
      text.replaceAll(/\b(?:8080|5000)\b/g, (found) => String(found === '8080' ? port : upstreamPort));
    const folder = await mkdtemp(join(tmpdir(), 'kv-proxy-'));
    await mkdir(join(folder, 'logs'));
    const file = join(folder, 'config');
    await writeFile(file, onOurPorts(proxy.wrap(changed(documented(proxy), changes), folder)));
    const child = spawn(proxy.command, proxy.args(file, folder).map(onOurPorts), {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output += data));
    const running = new ProxyProcess(port, child, folder);
    try {
      await vi.waitFor(
        async () => expect((await send(port, 'GET', '/health/ready')).status).toBe(200),
        START,
      );
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

function changed(config: string, changes: readonly Change[]): string {
  return changes.reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`docs/proxies.md no longer has: ${from}`);
    return text.replace(from, to);
  }, config);
}
