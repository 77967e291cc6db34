import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { LimitsConfig, TarantoolConfig } from '../config/config.js';
import { hostPort } from '../config/host-port.js';
import type { Logger } from '../logging/logger.js';
import { Backoff } from './backoff.js';
import { describeEnd } from './describe-end.js';
import { StartupError } from './startup.errors.js';

const INSTANCE_FILE = fileURLToPath(new URL('../../tarantool/kv.lua', import.meta.url));
const READY = 'kv: ready';
const WARNING = 'kv: warning: ';

/** Reading back what was acknowledged takes as long as there is data; only a hang takes longer than this. */
const START_TIMEOUT_MS = 3_600_000;
const STOP_TIMEOUT_MS = 30_000;
/** What is not serving yet has acknowledged nothing, and while it loads it may not hear. */
const STOP_LOADING_TIMEOUT_MS = 500;

const MAX_LINES = 20;

/** A Tarantool of our own: started on a data folder of its own, restarted when it dies, stopped last. */
export class EmbeddedTarantool {
  private process?: ChildProcess;
  private restart?: NodeJS.Timeout;
  private isServing = false;
  private isStopping = false;
  private readonly backoff = new Backoff();

  constructor(
    private readonly config: TarantoolConfig,
    private readonly limits: LimitsConfig,
    private readonly logger: Logger,
  ) {}

  get pid(): number | undefined {
    return this.process?.pid;
  }

  /**
   * Resolves when it serves, and keeps it running from then on.
   * @throws {StartupError} in one line, when it does not come up.
   */
  async start(): Promise<void> {
    const child = this.spawn();
    const lines: string[] = [];
    const ready = new Promise<void>((resolve) => this.relay(child, lines, resolve));
    const end = new Promise<never>((_resolve, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        const isMissing = error.code === 'ENOENT';
        reject(new StartupError(isMissing ? 'tarantool is not installed, or not on PATH' : error.message));
      });
      child.once('close', (code, signal) => reject(new StartupError(reasonOf(lines, code, signal))));
    });
    const patience = new AbortController();
    const hang = delay(START_TIMEOUT_MS, undefined, { signal: patience.signal }).then(() => {
      signalGroup(child, 'SIGKILL');
      throw new StartupError(`tarantool did not serve within ${START_TIMEOUT_MS} ms`);
    });
    for (const late of [end, hang]) late.catch(() => {});
    try {
      await Promise.race([ready, end, hang]);
    } finally {
      patience.abort();
    }

    this.isServing = true;
    this.backoff.serves();
    this.logger.info(
      { pid: child.pid, port: this.config.port, dataDir: this.config.dataDir },
      'Tarantool serves',
    );
    child.once('close', (code, signal) => {
      this.isServing = false;
      this.startLater({ code, signal });
    });
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.restart);
    const child = this.process;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    signalGroup(child, 'SIGTERM');
    const timeoutMs = this.isServing ? STOP_TIMEOUT_MS : STOP_LOADING_TIMEOUT_MS;
    const kill = setTimeout(() => signalGroup(child, 'SIGKILL'), timeoutMs);
    await exit;
    clearTimeout(kill);
  }

  /** At once, with nothing tidied: the log of writes is what it starts from again. */
  kill(): void {
    this.isStopping = true;
    clearTimeout(this.restart);
    if (this.process) signalGroup(this.process, 'SIGKILL');
  }

  private spawn(): ChildProcess {
    const { config, limits } = this;
    const child = spawn('tarantool', [INSTANCE_FILE], {
      // In a process group of its own, so that Ctrl-C reaches it only through us. Its standard input is its life-line: when we
      // die, however we die, it reads the end of it and stops.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...config.inherited,
        TARANTOOL_EMBEDDED: 'true',
        TARANTOOL_LISTEN: hostPort(config.host, config.port),
        TARANTOOL_USER: config.user,
        TARANTOOL_PASSWORD: config.password,
        TARANTOOL_WAL_MODE: config.walMode,
        TARANTOOL_MEMORY: String(config.memoryMiB),
        DATA_DIR: config.dataDir,
        MAX_BODY_BYTES: String(limits.maxBodyBytes),
      },
    });
    child.stdin?.on('error', () => {});
    this.process = child;
    return child;
  }

  private relay(child: ChildProcess, lines: string[], onReady: () => void): void {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        if (line.startsWith(READY)) onReady();
        else if (line.startsWith(WARNING)) this.logger.warn(line.slice(WARNING.length));
        else if (line.trim()) {
          this.logger.debug({ tarantool: line }, 'Tarantool says');
          lines.push(line.trim());
          if (lines.length > MAX_LINES) lines.shift();
        }
      });
    }
  }

  private startLater(end: Record<string, unknown>): void {
    if (this.isStopping) return;
    const delayMs = this.backoff.next();
    this.logger.error({ ...end, delayMs }, 'Tarantool died and is started again');
    this.restart = setTimeout(() => {
      this.start().catch((error: unknown) => this.startLater({ err: error }));
    }, delayMs);
  }
}

/** Ours says in its last line why it ends. What a signal ended says nothing of it, or a whole stack. */
function reasonOf(lines: string[], code: number | null, signal: string | null): string {
  const last = signal === null ? lines.at(-1) : undefined;
  return last ?? `tarantool ${describeEnd(code, signal)} before it served`;
}

/** It leads a group of its own, to which belongs what a script named tarantool starts. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}
