import { setTimeout as pause } from 'node:timers/promises';
import type { Acknowledged } from './feed-history.js';

const PAUSE_MS = 20;
const MAX_TXN = 5;

export interface WritersOptions {
  /** How many keys each writer has. */
  readonly keys?: number;
  /** How many operations a batch has at most. */
  readonly batch?: number;
  /** How long each writer waits between its requests. */
  readonly pauseMs?: number;
}

interface Operation {
  readonly op: 'upsert' | 'touch' | 'delete';
  readonly key: string;
  readonly value?: { readonly n: string };
  readonly ttl?: number;
}

interface Result {
  readonly status: number;
  readonly version?: string;
  readonly expires_at?: string;
}

/** Clients that change their keys in all ways until they are stopped, and remember what they were told. */
export class FeedWriters {
  readonly acknowledged: Acknowledged[] = [];
  /** Values whose writes were certainly not applied. */
  readonly refused = new Set<string>();
  readonly unexpected: string[] = [];
  private written = 0;
  private isStopping = false;
  private readonly running: Promise<void>[];
  private readonly keys: number;
  private readonly batch: number;
  private readonly pauseMs: number;

  constructor(
    private readonly url: string,
    count: number,
    private readonly random: () => number,
    { keys = 25, batch = 20, pauseMs = 0 }: WritersOptions = {},
  ) {
    this.keys = keys;
    this.batch = batch;
    this.pauseMs = pauseMs;
    this.running = Array.from({ length: count }, (_, writer) => this.run(writer));
  }

  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
  }

  private async run(writer: number): Promise<void> {
    while (!this.isStopping) {
      const dice = this.random();
      if (dice < 0.5) await this.single(this.operation(writer));
      else if (dice < 0.75) await this.many('/batch', this.operations(writer, this.batch));
      else await this.many('/txn', this.operations(writer, MAX_TXN));
      if (this.pauseMs > 0) await pause(this.pauseMs);
    }
  }

  /** Operations on different keys. */
  private operations(writer: number, most: number): Operation[] {
    const operations = Array.from({ length: 1 + this.below(most) }, () => this.operation(writer));
    return [...new Map(operations.map((operation) => [operation.key, operation])).values()];
  }

  private operation(writer: number): Operation {
    const key = `w${writer}/${this.below(this.keys)}`;
    const dice = this.random();
    if (dice < 0.15) return { op: 'delete', key };
    if (dice < 0.3) return { op: 'touch', key, ttl: 1 + this.below(600) };
    const ttl = dice < 0.45 ? { ttl: 1 } : {};
    return { op: 'upsert', key, value: { n: `${writer}-${this.written++}` }, ...ttl };
  }

  private async single(operation: Operation): Promise<void> {
    const { op, key, ...body } = operation;
    const path = `/kv/${encodeURIComponent(key)}`;
    const [method, query] = {
      upsert: ['PUT', '?upsert=true'],
      touch: ['POST', '/touch'],
      delete: ['DELETE', ''],
    }[op];
    const answer = await this.send(`${path}${query}`, String(method), op === 'delete' ? undefined : body);
    if (!answer) return;
    const { status, headers } = answer;
    const [version, expiresAt] = [headers.get('kv-version'), headers.get('kv-expires-at')];
    this.judge(operation, {
      status,
      ...(version === null ? {} : { version }),
      ...(expiresAt === null ? {} : { expires_at: expiresAt }),
    });
  }

  private async many(path: '/batch' | '/txn', operations: Operation[]): Promise<void> {
    const body = path === '/txn' ? { success: operations } : { operations };
    const answer = await this.send(path, 'POST', body);
    if (!answer) return;
    const { status, text } = answer;
    if (status !== 200) {
      for (const operation of operations) this.judge(operation, { status });
      return;
    }
    const { results } = JSON.parse(text) as { results: Result[] };
    for (const [i, operation] of operations.entries()) this.judge(operation, results[i] ?? { status: 0 });
  }

  private judge({ op, key, value }: Operation, { status, version, expires_at: end }: Result): void {
    const json = value && JSON.stringify(value);
    if (status === 200) {
      const expiresAt = end === undefined ? undefined : new Date(end).toISOString();
      // The answer to a single DELETE tells no revision.
      if (version === undefined) return;
      const revision = op === 'touch' ? undefined : Number(version);
      this.acknowledged.push({ key, revision, version: Number(version), json, expiresAt });
    } else if (status !== 504) {
      if (json) this.refused.add(json);
      if (![404, 409, 503].includes(status)) this.unexpected.push(`${op} ${key}: ${status}`);
    }
  }

  /** Returns undefined where the connection broke, or nobody listens: then the outcome is unknown. */
  private async send(
    path: string,
    method: string,
    body: object | undefined,
  ): Promise<{ status: number; headers: Headers; text: string } | undefined> {
    try {
      const answer = await fetch(`${this.url}${path}`, {
        method,
        ...(body ? { body: Buffer.from(JSON.stringify(body)) } : {}),
      });
      const text = await answer.text();
      if (answer.status >= 500) await pause(PAUSE_MS);
      return { status: answer.status, headers: answer.headers, text };
    } catch {
      await pause(PAUSE_MS);
      return undefined;
    }
  }

  private below(count: number): number {
    return Math.floor(this.random() * count);
  }
}
