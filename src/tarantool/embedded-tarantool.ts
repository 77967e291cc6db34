import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { LimitsConfig, TarantoolConfig } from '../config/config.js';
import { hostPort } from '../config/host-port.js';
import type { Logger } from '../logging/logger.js';
import { Backoff } from '../supervisor/backoff.js';
import { StartupError } from '../supervisor/startup.errors.js';

const INSTANCE_FILE = fileURLToPath(new URL('../../tarantool/kv.lua', import.meta.url));
const READY = 'kv: ready';
const WARNING = 'kv: warning: ';

/** Reading back what was acknowledged takes as long as there is data; only a hang ends sooner than this. */
const START_TIMEOUT_MS = 600_000;
const STOP_TIMEOUT_MS = 30_000;

/** A Tarantool of our own: started on a data folder of its own, restarted when it dies, stopped last. */
export class EmbeddedTarantool {
  private process?: ChildProcess;
  private restart?: NodeJS.Timeout;
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
      child.once('close', (code, signal) => {
        reject(new StartupError(lines.at(-1) ?? `tarantool ended with ${signal ?? `exit code ${code}`}`));
      });
    });
    const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
    const hang = once(timeout, 'abort').then(() => {
      throw new StartupError(`tarantool did not serve within ${START_TIMEOUT_MS} ms`);
    });
    await Promise.race([ready, end, hang]);
    for (const late of [end, hang]) late.catch(() => {});

    this.backoff.started();
    this.logger.info(
      { pid: child.pid, port: this.config.port, dataDir: this.config.dataDir },
      'Tarantool serves',
    );
    child.once('close', (code, signal) => this.onExit(code, signal));
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.restart);
    const child = this.process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGTERM');
    const kill = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await closed;
    clearTimeout(kill);
  }

  /** At once, with nothing tidied: the log of writes is what it starts from again. */
  kill(): void {
    this.isStopping = true;
    clearTimeout(this.restart);
    this.process?.kill('SIGKILL');
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
          if (lines.length > 20) lines.shift();
        }
      });
    }
  }

  private onExit(code: number | null, signal: string | null): void {
    if (this.isStopping) return;
    const delayMs = this.backoff.next();
    this.logger.error({ code, signal, delayMs }, 'Tarantool died and is started again');
    this.restart = setTimeout(() => {
      this.start().catch((error: unknown) => {
        this.logger.error({ err: error }, 'Tarantool did not start');
        this.onExit(null, null);
      });
    }, delayMs);
  }
}
