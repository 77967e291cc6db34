import type { ServerResponse } from 'node:http';
import { HttpError } from '../http/http.errors.js';
import type { ClientAddresses } from '../http/connections/client-address.js';
import type { Turns } from '../http/turns.js';
import type { AnswerBudget } from './answer-budget.js';
import type { AnswerLease } from './answer-lease.js';
import { isOver, whenOver } from './when-over.js';

/**
 * The most bytes of JSON that one byte of MessagePack can become: a control character in a string, or `false` and its
 * comma.
 */
const MAX_JSON_GROWTH = 6;

/** What the reader of a large value has to ask for before it reads the value into an answer. */
export interface Room {
  /** Waits until the answer may hold a value that has this many bytes in the store, however long its JSON is. */
  takeFor(storedBytes: number): Promise<void>;
  /** Waits until a large value may be decoded. */
  turn(): Promise<void>;
}

/** For an answer that is filled whole, and whose size is known before. */
export interface LargeRoom extends Room {
  /**
   * Waits until the answer may hold this many bytes. An answer that has room never waits for more, so no two answers
   * can wait for each other.
   * @throws {KvError} STORAGE_UNAVAILABLE
   */
  take(bytes: number): Promise<void>;
}

/**
 * The room that one request holds in the budget. It is given back when the answer has been sent or the client has
 * disconnected.
 */
export class AnswerRoom implements LargeRoom {
  private taking: Promise<void> | undefined;
  private lease: AnswerLease | undefined;
  private isCovered = false;

  constructor(
    private readonly budget: AnswerBudget,
    private readonly turns: Turns,
    private readonly addresses: ClientAddresses,
    private readonly response: ServerResponse,
  ) {}

  takeFor(storedBytes: number): Promise<void> {
    return this.take(storedBytes * MAX_JSON_GROWTH);
  }

  take(bytes: number): Promise<void> {
    this.taking ??= this.hold(bytes);
    return this.taking;
  }

  turn(): Promise<void> {
    return this.turns.take(this.addresses.of(this.response.req));
  }

  /** Takes the text of the answer as it will be sent, and gives back the room that it does not need. */
  settle(text: string): string {
    this.lease?.shrink(Buffer.byteLength(text));
    return text;
  }

  /** Gives back all room, so that the request can take some again later. */
  giveBack(): void {
    this.lease?.release();
    this.lease = undefined;
    this.taking = undefined;
  }

  private async hold(bytes: number): Promise<void> {
    const { budget, response } = this;
    const lease = await budget.take(bytes, this.addresses.of(response.req));
    if (isOver(response)) {
      lease.release();
      // The client has disconnected, so nobody reads this error.
      throw new HttpError('MALFORMED_REQUEST');
    }
    this.lease = lease;
    if (this.isCovered) return;
    this.isCovered = true;
    whenOver(response, () => this.lease?.release());
    budget.cover(response);
  }
}
