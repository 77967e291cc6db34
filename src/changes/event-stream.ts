import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** A client that reads nothing for this long has stopped reading. */
const STALL_MS = 30_000;

/**
 * An answer of server-sent events (WHATWG HTML §9.2). It holds no more than one event that its client has not read
 * yet.
 */
export class EventStream {
  private readonly ended: Promise<void>;

  constructor(
    private readonly response: ServerResponse,
    fields: OutgoingHttpHeaders,
    /** Told of the bytes of each event before it is sent. */
    private readonly onSend: (bytes: number) => void,
    private readonly stallMs = STALL_MS,
  ) {
    this.ended = new Promise((resolve) => response.once('close', resolve));
    // Delimited by its end and not in chunks: HAProxy holds each chunk back for 200 ms, to fill a packet.
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
    response.writeHead(200, {
      ...fields,
      'content-type': 'text/event-stream',
      // nginx holds events back otherwise, and with `gzip on` all of them until the end.
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
  }

  get isOver(): boolean {
    return this.response.closed || this.response.destroyed;
  }

  /** Sends events, and resolves when the client may get more. A client that stops reading loses its connection. */
  async send(events: string): Promise<void> {
    const { response } = this;
    if (this.isOver) return;
    this.onSend(Buffer.byteLength(events));
    if (response.write(events)) return;
    const drained = new Promise<void>((resolve) => response.once('drain', resolve));
    const stalled = setTimeout(() => response.destroy(), this.stallMs);
    await Promise.race([drained, this.ended]);
    clearTimeout(stalled);
  }

  end(events = ''): void {
    if (!this.isOver) this.response.end(events);
  }
}

/** An event of the protocol: `data` is one line. An id is what an EventSource sends as Last-Event-ID. */
export function event(name: 'data' | 'control', data: string, id?: string): string {
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${data}\n\n`;
}

/** Keeps proxies from taking the connection for dead. */
export const COMMENT = ':\n\n';
