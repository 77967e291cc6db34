import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { LogOutput } from '../logging/log-output.js';
import type { Log } from '../logging/log.js';
import { openOutput } from '../logging/output-descriptor.js';
import { relayLines } from '../logging/relay-lines.js';
import { Backoff } from './backoff.js';
import { StartupError } from './startup.errors.js';
import type { WorkerMessage } from './worker.js';

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

/** The worker processes: as many as configured, each replaced when it dies. */
export class WorkerPool {
  private isStopping = false;
  private readonly restarts = new Set<NodeJS.Timeout>();
  private readonly standardError = new LogOutput(openOutput(2), MAX_WAITING_ERROR_BYTES);

  constructor(
    private readonly size: number,
    /** Environment that workers get on top of our own. */
    private readonly environment: Readonly<Record<string, string>>,
    private readonly log: Log,
  ) {}

  /**
   * Resolves when all of them serve.
   * @throws {StartupError} when one cannot.
   */
  async start(): Promise<void> {
    // Workers accept by themselves. Handed round by the primary, a connection that is on its way to a worker which is killed
    // at that moment is never closed and never answered. The price is that they spread by chance: 31 to 33 or 5 to 59 of 64
    // (measured on two cores, where neither rate nor p99 follows).
    cluster.schedulingPolicy = cluster.SCHED_NONE; // frozen by setupPrimary()
    cluster.setupPrimary({ exec: MAIN, execArgv: [...process.execArgv, ...EXEC_ARGV], stdio: STDIO });
    await Promise.all(Array.from({ length: this.size }, () => this.fork(new Backoff())));
  }

  async stop(timeoutMs: number): Promise<void> {
    this.isStopping = true;
    for (const timer of this.restarts) clearTimeout(timer);
    const workers = this.workers();
    const exits = workers.map(
      (worker) => new Promise<void>((resolve) => worker.process.once('close', () => resolve())),
    );
    for (const worker of workers) worker.process.kill('SIGTERM');
    const kill = setTimeout(() => this.kill(), timeoutMs + KILL_GRACE_MS);
    await Promise.all(exits);
    clearTimeout(kill);
  }

  kill(): void {
    this.isStopping = true;
    for (const worker of this.workers()) worker.process.kill('SIGKILL');
  }

  private workers(): Worker[] {
    return Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  }

  private fork(backoff: Backoff): Promise<void> {
    // What is for people is made of the lines where they are written.
    const worker = cluster.fork({ ...this.environment, LOG_FORMAT: 'json' });
    const { stdout, stderr } = worker.process;
    if (stdout) relayLines(stdout, this.log.output);
    if (stderr) relayLines(stderr, this.standardError);
    backoff.started();
    return new Promise((resolve, reject) => {
      let failure = 'it died while starting';
      let isServing = false;
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'failed') failure = message.reason;
        else if (message.type === 'serving') {
          isServing = true;
          resolve();
        }
      });
      // Not "exit": first what it has written is read to the end.
      worker.process.once('close', (code, signal) => {
        if (!isServing) reject(new StartupError(failure));
        if (isServing && !this.isStopping) this.replace(worker, backoff, code, signal);
      });
    });
  }

  private replace(worker: Worker, backoff: Backoff, code: number | null, signal: string | null): void {
    const delayMs = backoff.next();
    this.log.logger.error(
      { pid: worker.process.pid, code, signal, delayMs },
      'a worker died and is replaced',
    );
    const timer = setTimeout(() => {
      this.restarts.delete(timer);
      this.fork(backoff).catch((error: unknown) => {
        this.log.logger.error({ err: error }, 'a worker did not start');
        if (!this.isStopping) this.replace(worker, backoff, 1, '');
      });
    }, delayMs);
    this.restarts.add(timer);
  }
}
