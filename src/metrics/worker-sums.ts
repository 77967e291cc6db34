import { metric } from './metric.js';
import type { Metric } from './metric.js';
import { FRESH_MS, SharedQuestion } from './shared-question.js';

/** The longest that workers have to answer. */
const MAX_WAIT_MS = 1000;

interface Worker {
  /** Has the worker tell its metrics, by `answered`. */
  readonly ask: () => void;
  /** It was asked and has not answered. It is not asked again, or questions would pile up before a worker that hangs. */
  isAsked: boolean;
  last: readonly Metric[];
}

/** Counts go on for ever. Gauges are about the present. */
const countsOf = (metrics: readonly Metric[]): Metric[] =>
  metrics.filter(({ type }) => type === 'counter' || type === 'histogram');

/**
 * The metrics of all workers together. No count ever falls: those of a worker that has died stay as it told them last,
 * and so do those of a worker that does not answer.
 */
export class WorkerSums {
  private readonly workers = new Map<number, Worker>();
  /** What workers that have died told last. */
  private ended: Metric[][] = [];
  private endedCount = 0;
  private readonly waitedFor = new Set<number>();
  private allAnswered = (): void => {};
  private readonly question: SharedQuestion<Metric[]>;

  constructor(
    freshMs = FRESH_MS,
    private readonly waitMs = MAX_WAIT_MS,
  ) {
    this.question = new SharedQuestion(() => this.gather(), { freshMs, waitMs: 2 * waitMs });
  }

  add(id: number, ask: () => void): void {
    this.workers.set(id, { ask, isAsked: false, last: [] });
  }

  /** Takes the answer of a worker. Without metrics, it has failed to tell them. */
  answered(id: number, metrics?: readonly Metric[]): void {
    const worker = this.workers.get(id);
    if (!worker) return;
    worker.isAsked = false;
    if (!metrics) return;
    worker.last = metrics;
    this.waitNoMoreFor(id);
  }

  /** The worker has died. */
  remove(id: number): void {
    const worker = this.workers.get(id);
    if (!worker) return;
    this.workers.delete(id);
    this.endedCount++;
    if (worker.last.length > 0) this.ended.push(countsOf(worker.last));
    this.waitNoMoreFor(id);
  }

  /** One gathering at a time, for all who ask meanwhile. */
  sums(): Promise<Metric[]> {
    return this.question.answer();
  }

  private async gather(): Promise<Metric[]> {
    // Loaded when it is needed, because most of the time the primary has nothing to do with metrics.
    const { aggregate } = await import('./aggregate.js');
    const answering = new Set(await this.askAll());
    const before = await aggregate(this.ended.splice(0));
    if (before.length > 0) this.ended.push(before);
    const told = [...this.workers].map(([id, { last }]) => (answering.has(id) ? last : countsOf(last)));
    const silent = [...this.workers.keys()].filter((id) => !answering.has(id)).length;
    const ours = [
      metric('kv_workers', this.workers.size),
      metric('kv_workers_silent', silent),
      metric('kv_workers_ended_total', this.endedCount),
    ];
    return aggregate([...told, ...this.ended, ours]);
  }

  /** Returns the workers that have answered in time. */
  private async askAll(): Promise<number[]> {
    const idle = [...this.workers].filter(([, { isAsked }]) => !isAsked);
    for (const [id] of idle) this.waitedFor.add(id);
    const all = new Promise<void>((resolve) => (this.allAnswered = resolve));
    for (const [, worker] of idle) {
      worker.isAsked = true;
      worker.ask();
    }
    if (this.waitedFor.size === 0) this.allAnswered();
    const timer = setTimeout(() => this.allAnswered(), this.waitMs);
    await all;
    clearTimeout(timer);
    const answered = idle.map(([id]) => id).filter((id) => !this.waitedFor.has(id));
    this.waitedFor.clear();
    return answered;
  }

  private waitNoMoreFor(id: number): void {
    if (this.waitedFor.delete(id) && this.waitedFor.size === 0) this.allAnswered();
  }
}
