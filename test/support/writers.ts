import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';

/** The time between attempts to connect while no process listens. */
const PAUSE_MS = 20;

/** The most that a batch may hold. */
const BATCH = 1000;

interface Read {
  status: number;
  value?: unknown;
}

type Outcome = 'applied' | 'refused' | 'unknown';

/** Clients that insert one new key after another until they are stopped, and remember each answer. */
export class Writers {
  readonly outcomes = new Map<string, Outcome>();
  readonly unexpected: string[] = [];
  slowestMs = 0;
  private lastAppliedBeganAt = 0;
  private isStopping = false;
  private readonly running: Promise<void>[];

  constructor(
    private readonly url: string,
    count: number,
  ) {
    this.running = Array.from({ length: count }, (_, client) => this.run(client));
  }

  count(outcome: Outcome): number {
    return [...this.outcomes.values()].filter((each) => each === outcome).length;
  }

  /** Resolves when a write that began after this call has been applied. */
  async resumed(timeout = 10_000): Promise<void> {
    const now = performance.now();
    await expect.poll(() => this.lastAppliedBeganAt, { timeout, interval: 5 }).toBeGreaterThan(now);
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
  }

  /**
   * Checks that every acknowledged write is there and no refused one is. A write with an unknown outcome is complete
   * if it is there.
   */
  async verify(): Promise<void> {
    const wrong: string[] = [];
    const outcomes = [...this.outcomes];
    for (let from = 0; from < outcomes.length; from += BATCH) {
      const batch = outcomes.slice(from, from + BATCH);
      const found = await this.read(batch.map(([key]) => key));
      for (const [i, [key, outcome]] of batch.entries()) {
        const { status, value } = found[i] ?? {};
        const isThere = status === 200 && JSON.stringify(value) === JSON.stringify({ key });
        const isMissing = status === 404;
        const isRight = { applied: isThere, refused: isMissing, unknown: isThere || isMissing }[outcome];
        if (!isRight) wrong.push(`${key} was ${outcome}, and is now ${status} ${JSON.stringify(value)}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(this.unexpected).toEqual([]);
  }

  /**
   * Asks again while the store is unreachable: a worker may still be connecting to the Tarantool that was started
   * last.
   */
  private async read(keys: string[]): Promise<Read[]> {
    const body = Buffer.from(JSON.stringify({ operations: keys.map((key) => ({ op: 'get', key })) }));
    let results: Read[] = [];
    const ask = async (): Promise<number> => {
      const answer = await fetch(`${this.url}/batch`, { method: 'POST', body });
      if (answer.status === 200) ({ results } = (await answer.json()) as { results: Read[] });
      else await answer.arrayBuffer();
      // A batch is answered 200 also where the store was asked in vain.
      return results.find(({ status }) => status === 503)?.status ?? answer.status;
    };
    await expect.poll(ask).toBe(200);
    return results;
  }

  private async run(client: number): Promise<void> {
    for (let i = 0; !this.isStopping; i++) {
      const key = `${client}-${i}-${performance.now()}`;
      const began = performance.now();
      const outcome = await this.insert(key);
      this.outcomes.set(key, outcome);
      if (outcome === 'applied') this.lastAppliedBeganAt = Math.max(this.lastAppliedBeganAt, began);
      this.slowestMs = Math.max(this.slowestMs, performance.now() - began);
    }
  }

  private async insert(key: string): Promise<Outcome> {
    let answer: Response;
    try {
      answer = await fetch(`${this.url}/kv`, {
        method: 'POST',
        body: Buffer.from(JSON.stringify({ key, value: { key } })),
      });
      await answer.arrayBuffer();
    } catch {
      // The connection broke, or no process listens at the moment: of a worker, or of the primary.
      await pause(PAUSE_MS);
      return 'unknown';
    }
    if (answer.status === 200) return 'applied';
    if (answer.status === 503) return 'refused';
    if (answer.status !== 504) this.unexpected.push(`${key}: ${answer.status}`);
    return 'unknown';
  }
}
