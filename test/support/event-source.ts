import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { createGunzip } from 'node:zlib';

export interface ServerSentEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: unknown;
}

/** Reads a stream of server-sent events, as they are on the wire. */
export class EventSourceClient {
  /** All events so far. */
  readonly events: ServerSentEvent[] = [];
  comments = 0;
  isEnded = false;
  private rest = '';

  private constructor(
    readonly answer: IncomingMessage,
    private readonly onEvent?: (event: ServerSentEvent) => void,
  ) {
    const body = answer.headers['content-encoding'] === 'gzip' ? answer.pipe(createGunzip()) : answer;
    body.setEncoding('utf8');
    body.on('data', (text: string) => this.read(text));
    body.on('error', () => undefined);
    answer.on('error', () => undefined);
    answer.on('close', () => (this.isEnded = true));
  }

  static async open(
    url: string,
    headers: Record<string, string> = {},
    onEvent?: (event: ServerSentEvent) => void,
  ): Promise<EventSourceClient> {
    const [answer] = (await once(get(url, { headers, agent: false }), 'response')) as [IncomingMessage];
    return new EventSourceClient(answer, onEvent);
  }

  /** The messages of all `data` events. */
  get messages(): unknown[] {
    return this.events.flatMap(({ event, data }) => (event === 'data' ? (data as unknown[]) : []));
  }

  /** What the last `control` event says. */
  get control(): Record<string, unknown> | undefined {
    return this.events.findLast(({ event }) => event === 'control')?.data as
      Record<string, unknown> | undefined;
  }

  close(): void {
    this.answer.destroy();
  }

  private read(text: string): void {
    const blocks = (this.rest + text).split('\n\n');
    this.rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(
        block.split('\n').map((line) => [line.split(': ', 1)[0] ?? '', line.slice(line.indexOf(':') + 2)]),
      );
      if (!fields.has('data')) {
        this.comments++;
        continue;
      }
      const event = {
        event: fields.get('event') ?? 'message',
        id: fields.get('id'),
        data: JSON.parse(fields.get('data') ?? '') as unknown,
      };
      this.events.push(event);
      this.onEvent?.(event);
    }
  }
}
