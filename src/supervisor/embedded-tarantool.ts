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

/** Loading takes longer the more data there is. Only a process that hangs takes longer than this. */
const START_TIMEOUT_MS = 3_600_000;
const STOP_TIMEOUT_MS = 30_000;
/**
 * A Tarantool that is still loading has acknowledged nothing, and may not react to a signal. It is killed after this
 * time.
 */
const STOP_LOADING_TIMEOUT_MS = 500;

const MAX_LINES = 20;

/**
 * A Tarantool that belongs to this service: started on its own data folder, restarted when it dies, and stopped last.
 */
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
   * Resolves when Tarantool serves, and keeps it running from then on.
   * @throws {StartupError} of one line, when it does not start.
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

  /** Ends Tarantool at once. Nothing is lost: it starts again from its write-ahead log. */
  kill(): void {
    this.isStopping = true;
    clearTimeout(this.restart);
    if (this.process) signalGroup(this.process, 'SIGKILL');
  }

  private spawn(): ChildProcess {
    const { config, limits } = this;
    const child = spawn('tarantool', [INSTANCE_FILE], {
      // It runs in a process group of its own, so that Ctrl-C reaches it only through us. Its standard input is a
      // pipe to us. When this process ends in whatever way, Tarantool reads the end of the pipe and stops.
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
        CHANGES_MEMORY: String(config.changesMiB),
        IDEMPOTENCY_MEMORY: String(config.retriesMiB),
        IDEMPOTENCY_TTL: String(config.retriesTtlS),
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

/**
 * Why Tarantool ended. When it ends by itself, its last line says why. When a signal ended it, its last lines do not
 * tell, or hold a stack trace.
 */
function reasonOf(lines: string[], code: number | null, signal: string | null): string {
  const last = signal === null ? lines.at(-1) : undefined;
  return last ?? `tarantool ${describeEnd(code, signal)} before it served`;
}

/**
 * Signals the process group that Tarantool leads. Where `tarantool` is a shell script, its children are in that
 * group.
 */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}
