import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Answers } from './answers.js';
import { whenOver } from './when-over.js';

/** How a client has to take its answer. */
export interface Pace {
  /** Who takes nothing for so long has stopped to read. */
  readonly stallMs: number;
  /** Beyond that, the time that an answer may take: else a byte now and then would hold its room for ever. */
  readonly bytesPerMs: number;
}

const PACE: Pace = { stallMs: 30_000, bytesPerMs: 65.536 };

/**
 * A response that bounds what waits for its client. What the system takes at once costs nothing. What it does not is counted in the
 * budget, unless room was set aside for it, and has to leave in time; otherwise the connection is ended.
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
      // Node ends a connection that makes no progress for this long.
      socket.setTimeout(pace.stallMs);
      const timer = setTimeout(() => socket.destroy(), pace.stallMs + bytes / pace.bytesPerMs);
      whenOver(this, () => {
        clearTimeout(timer);
        lease?.release();
      });
    }
  };
}
