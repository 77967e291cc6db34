import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { freePort } from './test-app.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

type Output = 'pipe' | 'closed' | number | Writable;

export type LogLine = Record<string, unknown> & { msg: string };

/**
 * The service as users run it: `dist/main.js` with its workers and its embedded Tarantool, in a data folder of its
 * own.
 */
export class ServiceProcess {
  readonly log: LogLine[] = [];
  stderr = '';
  /** Where standard output and standard error go. Output to a pipe is read, and kept in `log` and `stderr`. */
  output: { stdout: Output; stderr: Output } = { stdout: 'pipe', stderr: 'pipe' };
  private child?: ChildProcess;
  private onListening = (): void => {};

  private constructor(
    readonly port: number,
    readonly environment: Record<string, string>,
  ) {}

  static async create(environment: Record<string, string> = {}): Promise<ServiceProcess> {
    const port = await freePort();
    return new ServiceProcess(port, {
      HOST: '127.0.0.1',
      PORT: String(port),
      WORKERS: '2',
      THROTTLE_LIMIT: '0',
      ALLOWED_HOSTS: '*',
      LOG_FORMAT: 'json',
      TARANTOOL_PORT: String(await freePort()),
      TARANTOOL_MEMORY: '64',
      DATA_DIR: await mkdtemp(join(tmpdir(), 'kv-process-')),
      ...environment,
    });
  }

  static async start(environment: Record<string, string> = {}): Promise<ServiceProcess> {
    const service = await ServiceProcess.create(environment);
    await service.start();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Child processes: the embedded Tarantool and the workers. */
  get tarantoolPid(): number {
    return this.children().find((pid) => commandOf(pid).startsWith('tarantool')) ?? 0;
  }

  get workerPids(): number[] {
    return this.children().filter((pid) => commandOf(pid).includes('main.js'));
  }

  /** Starts the service, and resolves when it logs that it listens. Rejects with its output on standard error. */
  async start(): Promise<void> {
    const child = this.run();
    const serving = new Promise<void>((resolve) => (this.onListening = resolve));
    const ended = once(child, 'close').then(([code]) => {
      throw new Error(`the service ended with exit code ${code}: ${this.stderr}`);
    });
    ended.catch(() => {});
    await Promise.race([serving, ended]);
  }

  /** Starts the service, and resolves when it is ready. For tests in which nobody reads its output. */
  async startUnheard(): Promise<void> {
    this.run();
    await expect.poll(() => this.probe('ready'), { interval: 20 }).toBe(200);
  }

  /** The status of a health check. Undefined when there is no answer. */
  async probe(name: 'live' | 'ready'): Promise<number | undefined> {
    const signal = AbortSignal.timeout(5000);
    try {
      const answer = await fetch(`${this.url}/health/${name}`, { signal });
      await answer.arrayBuffer();
      return answer.status;
    } catch {
      return undefined;
    }
  }

  /** All its processes: the first one, the embedded Tarantool, the workers. */
  get pids(): number[] {
    return [this.pid, ...this.children()];
  }

  /** Runs the service to its end, for a start that must fail. */
  async runToEnd(): Promise<{ code: number; stderr: string }> {
    const [code] = (await once(this.run(), 'close')) as [number];
    return { code, stderr: this.stderr };
  }

  /** @returns the exit code, or null when a signal ended the process. */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    if (!this.child) return null;
    const closed = once(this.child, 'close') as Promise<[number | null]>;
    this.child.kill(signal);
    return (await closed)[0];
  }

  /** Ends the service, if it runs, and removes its data. */
  async remove(): Promise<void> {
    if (this.child?.exitCode === null && this.child.signalCode === null) await this.signal('SIGTERM');
    await rm(this.environment['DATA_DIR'] ?? '', { recursive: true, force: true });
  }

  private run(): ChildProcess {
    this.log.length = 0;
    this.stderr = '';
    const { stdout, stderr } = this.output;
    const [open, closed] = [(output: Output) => (output === 'closed' ? 'ignore' : output), 'closed'];
    const redirections = `${stdout === closed ? '>&-' : ''} ${stderr === closed ? '2>&-' : ''}`;
    const child = spawn('/bin/sh', ['-c', `exec "$0" "$@" ${redirections}`, process.execPath, MAIN], {
      env: { PATH: process.env['PATH'], ...this.environment },
      stdio: ['ignore', open(stdout), open(stderr)],
    });
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as LogLine;
        this.log.push(line);
        if (line.msg.startsWith('listening on')) this.onListening();
      });
    }
    child.stderr?.on('data', (data) => (this.stderr += data));
    this.child = child;
    return child;
  }

  private children(): number[] {
    const list = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return list.trim().split(' ').filter(Boolean).map(Number);
  }
}

/** Whether a process runs. A process that has ended and whose parent has not waited for it does not run. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
