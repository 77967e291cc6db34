import type { ServerResponse } from 'node:http';
import { HttpError } from '../http/http.errors.js';
import type { AnswerLease } from './answer-lease.js';
import type { Answers } from './answers.js';
import { isOver, whenOver } from './when-over.js';

/** One byte of MessagePack is at most so many of JSON: a control character of a string, or `false` and its comma. */
const MAX_JSON_GROWTH = 6;

/** What whoever reads a large value for an answer has to ask for first. */
export interface Room {
  /** Waits until the answer may hold a value of so many bytes in the store, whatever JSON it makes. */
  takeFor(storedBytes: number): Promise<void>;
  /** Waits until a value of so many bytes in the store may be decoded. */
  turn(storedBytes: number): Promise<void>;
}

/** For who fills a whole answer, of a size that is known before. */
export interface LargeRoom extends Room {
  /**
   * Waits until the answer may hold so many bytes. One that has room never waits for more, so that no two wait for each other.
   * @throws {KvError} STORAGE_UNAVAILABLE
   */
  take(bytes: number): Promise<void>;
}

/** One request's room in the budget, given back when its answer has left or its client has. */
export class AnswerRoom implements LargeRoom {
  private taking: Promise<void> | undefined;
  private lease: AnswerLease | undefined;

  constructor(
    private readonly answers: Answers,
    private readonly response: ServerResponse,
  ) {}

  takeFor(storedBytes: number): Promise<void> {
    return this.take(storedBytes * MAX_JSON_GROWTH);
  }

  take(bytes: number): Promise<void> {
    this.taking ??= this.hold(bytes);
    return this.taking;
  }

  turn(storedBytes: number): Promise<void> {
    return this.answers.budget.turn(storedBytes);
  }

  /** The answer as it will be sent: it holds no more than that. */
  settle(text: string): string {
    this.lease?.shrink(Buffer.byteLength(text));
    return text;
  }

  private async hold(bytes: number): Promise<void> {
    const { answers, response } = this;
    const lease = await answers.budget.take(bytes, answers.addresses.of(response.req));
    if (isOver(response)) {
      lease.release();
      // The client has gone, and nobody reads what this says.
      throw new HttpError('MALFORMED_REQUEST');
    }
    whenOver(response, () => lease.release());
    this.lease = lease;
    answers.budget.cover(response);
  }
}
