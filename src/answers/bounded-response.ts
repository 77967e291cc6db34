import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Answers } from './answers.js';
import { whenOver } from './when-over.js';

/** How fast a client has to read its answer. */
export interface Pace {
  /** A client that reads nothing for this long has stopped reading. */
  readonly stallMs: number;
  /**
   * The lowest average speed beyond that time. Without it, a client that reads a byte now and then would hold the
   * room for ever.
   */
  readonly bytesPerMs: number;
}

const PACE: Pace = { stallMs: 30_000, bytesPerMs: 65.536 };

/**
 * A response that bounds how many bytes wait for its client. Bytes that the system's socket buffer takes at once cost
 * nothing. Bytes that wait in this process are counted in the budget, unless room was set aside for them, and have to
 * be sent in time. Otherwise the connection is closed.
 */
export function boundedResponse(
  { budget, addresses }: Pick<Answers, 'budget' | 'addresses'>,
  pace = PACE,
): typeof ServerResponse<IncomingMessage> {
  return class BoundedResponse extends ServerResponse<IncomingMessage> {
    override end(chunk?: unknown, encoding?: unknown, callback?: unknown): this {
      super.end(chunk, encoding as BufferEncoding, callback as () => void);
      if (this.writableLength > 0) this.waitForClient();
      return this;
    }

    private waitForClient(): void {
      const { socket } = this.req;
      const bytes = Number(this.getHeader('content-length') ?? 0);
      const lease = budget.covers(this) ? undefined : budget.takeNow(bytes, addresses.of(this.req));
      if (!lease && !budget.covers(this)) {
        socket.destroy();
        return;
      }
      // Node closes a connection that makes no progress for this long.
      socket.setTimeout(pace.stallMs);
      const timer = setTimeout(() => socket.destroy(), pace.stallMs + bytes / pace.bytesPerMs);
      whenOver(this, () => {
        clearTimeout(timer);
        lease?.release();
      });
    }
  };
}
