import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { LogOutput } from '../logging/log-output.js';
import type { Log } from '../logging/log.js';
import { openOutput } from '../logging/output-descriptor.js';
import { relayLines } from '../logging/relay-lines.js';
import { Backoff } from './backoff.js';
import { describeEnd } from './describe-end.js';
import { PoolMetrics } from './pool-metrics.js';
import { StartupError } from './startup.errors.js';
import type { WorkerMessage } from './worker-message.js';

/** The file that a worker runs, whatever started this process: a script or a test. */
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** How much longer than the configured time workers may take to stop before they are killed. */
const KILL_GRACE_MS = 1000;

/**
 * How a worker collects its garbage. Nearly all objects of a request are garbage once it is answered, so a larger
 * young generation brings nothing and costs memory. Half of V8's default is as fast, and takes 120 to 155 MB under
 * load instead of 155 to 190. There is a worker for each core, so threads that help one worker collect take their
 * time from the others. Without them GET is faster by 5 to 13 %, and PUT by 17 %. Marking in steps of up to 4 ms and
 * a pause of about 10 ms remain.
 *
 * The memory of a burst is freed by the next full collection, which V8 would otherwise put off until the heap is
 * several times as large.
 */
const EXEC_ARGV = [
  '--max-semi-space-size=8',
  '--single-threaded-gc',
  '--initial-old-space-size=48',
  '--heap-growing-percent=40',
];

/**
 * Only one process writes to our own output, because that is shared with other programs. Each worker has a pipe to
 * it.
 */
const STDIO = ['ignore', 'pipe', 'pipe', 'ipc'];

/** The bound of what workers write to standard error, where they normally write nothing. */
const MAX_WAITING_ERROR_BYTES = 1024 * 1024;

/** The slot of one worker and of all workers that replace it. */
interface Slot {
  readonly backoff: Backoff;
  /** To be called when the worker of this slot is connected to the store. */
  readonly connected: () => void;
}

/** The worker processes. There are as many as configured, and each is replaced when it dies. */
export class WorkerPool {
  private isStopping = false;
  private readonly restarts = new Set<NodeJS.Timeout>();
  private readonly connections: Promise<void>[] = [];
  private readonly metrics = new PoolMetrics();
  private readonly standardError = new LogOutput(openOutput(2), MAX_WAITING_ERROR_BYTES);

  constructor(
    private readonly size: number,
    /** Environment variables that workers get in addition to our own. */
    private readonly environment: Readonly<Record<string, string>>,
    private readonly log: Log,
  ) {}

  /**
   * Resolves with the port when the workers listen. As long as at least one worker listens, those that die are
   * replaced.
   * @throws {StartupError} when no worker listens.
   */
  async start(): Promise<number> {
    // Workers accept connections themselves. If the primary handed connections round, a connection on its way to a
    // worker that is killed at that moment would never be closed and never be answered. The price is that connections
    // spread by chance: 31 to 33, or 5 to 59, of 64. On two cores, neither the rate nor the p99 suffered.
    cluster.schedulingPolicy = cluster.SCHED_NONE; // frozen by setupPrimary()
    cluster.setupPrimary({ exec: MAIN, execArgv: [...process.execArgv, ...EXEC_ARGV], stdio: STDIO });
    const slots = Array.from({ length: this.size }, () => this.newSlot());
    const ends: [Slot, unknown][] = [];
    const ports = await Promise.all(
      slots.map((slot) => this.fork(slot).catch((reason: unknown) => void ends.push([slot, reason]))),
    );
    const port = ports.find((each) => each !== undefined);
    if (port === undefined) throw ends[0]?.[1];
    for (const [slot, reason] of ends) this.replaceLater(slot, { err: reason });
    return port;
  }

  /** Resolves when each slot has once had a worker that was connected to the store. */
  async whenConnected(): Promise<void> {
    await Promise.all(this.connections);
  }

  /** Resolves when all workers have ended: by themselves, or killed a little after this time. */
  async stop(timeoutMs: number): Promise<void> {
    const kill = setTimeout(() => void this.end('SIGKILL'), timeoutMs + KILL_GRACE_MS);
    await this.end('SIGTERM');
    clearTimeout(kill);
  }

  /** Kills all workers. Resolves when they are gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.replaceNoMore();
    const workers = this.workers();
    // The event "close" and not "exit", so that all output of a worker is read first.
    const ends = workers.map(({ process }) => new Promise((resolve) => process.once('close', resolve)));
    for (const worker of workers) worker.process.kill(signal);
    await Promise.all(ends);
  }

  private replaceNoMore(): void {
    this.isStopping = true;
    for (const timer of this.restarts) clearTimeout(timer);
  }

  private workers(): Worker[] {
    const hasEnded = ({ process }: Worker): boolean =>
      process.exitCode !== null || process.signalCode !== null;
    return Object.values(cluster.workers ?? {}).filter(
      (worker) => worker !== undefined && !hasEnded(worker),
    ) as Worker[];
  }

  private newSlot(): Slot {
    let connected = (): void => {};
    this.connections.push(new Promise((resolve) => (connected = resolve)));
    return { backoff: new Backoff(), connected };
  }

  /**
   * Starts a worker. Resolves with the port when it listens. If it dies after that, it is replaced.
   * @throws {StartupError} when the worker ends before it listens.
   */
  private fork(slot: Slot): Promise<number> {
    // Workers write JSON. Where the log is for people, the primary formats the lines.
    const worker = cluster.fork({ ...this.environment, LOG_FORMAT: 'json' });
    const { stdout, stderr } = worker.process;
    if (stdout) relayLines(stdout, this.log.output);
    if (stderr) relayLines(stderr, this.standardError);
    return new Promise((resolve, reject) => {
      let failure: string | undefined;
      let isListening = false;
      worker.on('message', (message: WorkerMessage) => {
        switch (message.type) {
          case 'failed':
            failure = message.reason;
            break;
          case 'listening':
            isListening = true;
            slot.backoff.serves();
            this.metrics.watch(worker);
            resolve(message.port);
            break;
          case 'connected':
            slot.connected();
        }
      });
      // The event "close" and not "exit", so that all output of the worker is read first.
      worker.process.once('close', (code, signal) => {
        if (isListening) this.replaceLater(slot, { pid: worker.process.pid, code, signal });
        else reject(new StartupError(failure ?? `a worker ${describeEnd(code, signal)} while it started`));
      });
    });
  }

  private replaceLater(slot: Slot, end: Record<string, unknown>): void {
    if (this.isStopping) return;
    const delayMs = slot.backoff.next();
    this.log.logger.error({ ...end, delayMs }, 'a worker died and is replaced');
    const timer = setTimeout(() => {
      this.restarts.delete(timer);
      this.fork(slot).catch((reason: unknown) => this.replaceLater(slot, { err: reason }));
    }, delayMs);
    this.restarts.add(timer);
  }
}
