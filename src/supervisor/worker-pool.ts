import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { LogOutput } from '../logging/log-output.js';
import type { Log } from '../logging/log.js';
import { openOutput } from '../logging/output-descriptor.js';
import { relayLines } from '../logging/relay-lines.js';
import { Backoff } from './backoff.js';
import { describeEnd } from './describe-end.js';
import { StartupError } from './startup.errors.js';
import type { WorkerMessage } from './worker-message.js';

/** Whatever started us (a script, a test): this is what a worker runs. */
const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));

/** Over the time that workers have to stop by themselves. */
const KILL_GRACE_MS = 1000;

/**
 * How a worker collects its garbage. Nearly all that a request makes is garbage as soon as it is answered, so more room for the
 * young brings nothing and costs memory: half of V8's default is as fast, and takes 120 to 155 MB under load instead of 155 to 190.
 * And there is a worker for each core, so threads that help one of them collect take their time from the others: without
 * them GET is faster by 5 to 13 %, PUT by 17 %. What is left is marking in steps of up to 4 ms and a pause of about 10.
 *
 * What a burst leaves is given back by the next full collection, which V8 would put off until the heap is several times as large.
 */
const EXEC_ARGV = [
  '--max-semi-space-size=8',
  '--single-threaded-gc',
  '--initial-old-space-size=48',
  '--heap-growing-percent=40',
];

/** Only one process writes to our own output, which belongs to others. Workers each have a pipe to it. */
const STDIO = ['ignore', 'pipe', 'pipe', 'ipc'];

/** Of what workers write to standard error, which is nothing while they live. */
const MAX_WAITING_ERROR_BYTES = 1024 * 1024;

/** The place of one worker and of all that replace it. */
interface Slot {
  readonly backoff: Backoff;
  /** To be called when a worker is connected to the store. */
  readonly connected: () => void;
}

/** The worker processes: as many as configured, each replaced when it dies. */
export class WorkerPool {
  private isStopping = false;
  private readonly restarts = new Set<NodeJS.Timeout>();
  private readonly connections: Promise<void>[] = [];
  private readonly standardError = new LogOutput(openOutput(2), MAX_WAITING_ERROR_BYTES);

  constructor(
    private readonly size: number,
    /** Environment that workers get on top of our own. */
    private readonly environment: Readonly<Record<string, string>>,
    private readonly log: Log,
  ) {}

  /**
   * Resolves with the port when they listen. Those that die meanwhile are replaced, as at any time, where at least one listens.
   * @throws {StartupError} when none does.
   */
  async start(): Promise<number> {
    // Workers accept by themselves. Handed round by the primary, a connection that is on its way to a worker which is killed
    // at that moment is never closed and never answered. The price is that they spread by chance: 31 to 33 or 5 to 59 of 64
    // (measured on two cores, where neither rate nor p99 follows).
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

  /** Resolves when each has been connected to the store. */
  async whenConnected(): Promise<void> {
    await Promise.all(this.connections);
  }

  /** Resolves when all have ended, by themselves or after this time and a little more. */
  async stop(timeoutMs: number): Promise<void> {
    const kill = setTimeout(() => void this.end('SIGKILL'), timeoutMs + KILL_GRACE_MS);
    await this.end('SIGTERM');
    clearTimeout(kill);
  }

  /** Resolves when all are gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    this.replaceNoMore();
    const workers = this.workers();
    // Not "exit": what it has written is read to the end.
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
   * Resolves with the port when the worker listens. If it dies after that, it is replaced.
   * @throws {StartupError} when it ends before.
   */
  private fork(slot: Slot): Promise<number> {
    // What is for people is made of the lines where they are written.
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
            resolve(message.port);
            break;
          case 'connected':
            slot.connected();
        }
      });
      // Not "exit": first what it has written is read to the end.
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
