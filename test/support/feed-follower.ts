import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { EventSourceClient } from './event-source.js';
import type { Delivery } from './feed-history.js';
import { revisionOf, toldChanges } from './feed-message.js';
import type { FeedMessage } from './feed-message.js';

const RETRY_MS = 20;
/** Seconds that a long poll waits. */
const POLL_S = 5;

export interface FollowerOptions {
  readonly url: string;
  readonly prefix?: string;
  readonly live: 'sse' | 'long-poll';
  readonly offset: string;
  /** Called with what was told at once. */
  onTold?(messages: readonly FeedMessage[], offset: string, isUpToDate: boolean): void;
}

/** A client that follows the changes until it is stopped, and continues at its last offset after each cut. */
export class FeedFollower {
  readonly deliveries: Delivery[] = [];
  /** How many connections were cut, by the test or by others. */
  cuts = 0;
  offset: string;
  private connection = -1;
  private from = 0;
  private abort = new AbortController();
  private isStopped = false;
  private readonly running: Promise<void>;

  constructor(private readonly options: FollowerOptions) {
    this.offset = options.offset;
    this.running = this.run();
  }

  /** Cuts the connection. */
  cut(): void {
    this.abort.abort();
  }

  stop(): Promise<void> {
    this.isStopped = true;
    this.cut();
    return this.running;
  }

  private async run(): Promise<void> {
    const { url, prefix = '', live } = this.options;
    while (!this.isStopped) {
      this.abort = new AbortController();
      this.connection++;
      this.from = revisionOf(this.offset);
      const query = `offset=${this.offset}&prefix=${encodeURIComponent(prefix)}&live=${live}`;
      try {
        if (live === 'sse') await this.stream(`${url}/changes?${query}`);
        else await this.poll(`${url}/changes?${query}&timeout=${POLL_S}`);
      } catch {
        this.cuts++;
        await pause(RETRY_MS);
      }
    }
  }

  /** Resolves or rejects when the stream has ended. */
  private async stream(url: string): Promise<void> {
    const { signal } = this.abort;
    const stream = await EventSourceClient.open(url, {}, ({ event, id = '', data }) => {
      if (signal.aborted) return;
      if (event === 'data') this.told(data as FeedMessage[], id, false);
      else {
        const { upToDate, reset } = data as { upToDate?: boolean; reset?: boolean };
        this.told([], id, upToDate === true, reset === true);
      }
    });
    const cut = (): void => stream.close();
    signal.addEventListener('abort', cut);
    if (signal.aborted) cut();
    if (!stream.answer.closed) await once(stream.answer, 'close');
    throw new Error('the stream has ended');
  }

  private async poll(url: string): Promise<void> {
    const answer = await fetch(url, { signal: this.abort.signal });
    const text = await answer.text();
    if (answer.status === 410) return this.told([], '-1', false, true);
    if (answer.status !== 200 && answer.status !== 204) throw new Error(`answered ${answer.status}`);
    const messages = answer.status === 200 ? (JSON.parse(text) as FeedMessage[]) : [];
    const isUpToDate = answer.headers.get('stream-up-to-date') === 'true';
    this.told(messages, answer.headers.get('stream-next-offset') ?? '', isUpToDate);
  }

  private told(messages: readonly FeedMessage[], offset: string, isUpToDate: boolean, isGone = false): void {
    const { connection, from } = this;
    const changes = toldChanges(messages);
    const last = this.deliveries.at(-1);
    const next = revisionOf(offset);
    this.offset = offset;
    // A run may take long, so what says nothing new is not kept.
    if (isGone || changes.length > 0 || last?.next !== next || last.connection !== connection) {
      this.deliveries.push({ connection, from, changes, next, isGone });
    }
    this.options.onTold?.(messages, offset, isUpToDate);
  }
}
