import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { answersIn, message } from './raw.js';

/** How a request ended: with a status, `refused` before it was taken, or else how it failed. */
type End = number | string;

/** Sends a request and says how it ended; keeps its connection as long as it is told to. */
type Client = () => Promise<End>;

const RETRY_MS = 10;

/** Clients that ask again as soon as they are answered, on connections that they keep. */
export class LoopingClients {
  /** How often each has been answered. */
  readonly answered: number[];
  /** What else happened to requests, but for connections that were refused. */
  readonly failures: string[] = [];
  private isStopped = false;
  private readonly loops: Promise<void>[];

  constructor(url: string, count: number) {
    this.answered = Array.from({ length: count }, () => 0);
    const kinds = [agentClient, fetchClient, rawClient];
    this.loops = Array.from({ length: count }, async (_, n) => {
      const kind = kinds[n % kinds.length] ?? rawClient;
      const client = kind(url, n % 2 === 0);
      while (!this.isStopped) {
        const end = await client();
        if (end === 200) this.answered[n] = (this.answered[n] ?? 0) + 1;
        else if (end === 'refused') await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        else this.failures.push(`${kind.name}: ${end}`);
      }
    });
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    await Promise.all(this.loops);
  }
}

const BODY = '{"value":{"status":"ok"}}';

/** A connection that could not be made was refused, or reset by the system because no process had taken it. */
function endOf({ code, syscall, message: text }: NodeJS.ErrnoException): End {
  return syscall === 'connect' ? 'refused' : `${code} ${text}`;
}

/** Node's own client, with an agent that keeps its connection. */
function agentClient(url: string, isWriter: boolean): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return () =>
    new Promise((resolve) => {
      const sent = request(`${url}/kv/state`, { agent, method: isWriter ? 'PUT' : 'GET' }, (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
        answer.on('error', (error) => resolve(endOf(error)));
      });
      sent.on('error', (error) =>
        resolve(`${sent.reusedSocket ? 'kept' : 'new'} ${endOf(error)}`.replace(/^\w+ refused$/, 'refused')),
      );
      sent.end(isWriter ? BODY : undefined);
    });
}

/** undici, as `fetch` has it: each with a connection of its own, because its pool makes new ones whenever it likes. */
function fetchClient(url: string, isWriter: boolean): Client {
  const shared = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')) as object;
  const dispatcher = Reflect.construct(shared.constructor, [{ connections: 1 }]) as object;
  const init = { dispatcher, ...(isWriter ? { method: 'PUT', body: Buffer.from(BODY) } : {}) };
  return () =>
    fetch(`${url}/kv/state`, init as RequestInit).then(
      async (answer) => {
        await answer.text();
        return answer.status;
      },
      (error: Error) => endOf(error.cause as NodeJS.ErrnoException),
    );
}

/** A connection on which one request follows the other until an answer says that it is the last. */
function rawClient(url: string, isWriter: boolean): Client {
  const bytes = isWriter ? message('PUT /kv/state', BODY) : message('GET /kv/state');
  let socket: Socket | undefined;
  return async () => {
    const kind = socket ? 'kept' : 'new';
    try {
      if (!socket) {
        const fresh = connect(Number(new URL(url).port), '127.0.0.1');
        await once(fresh, 'connect');
        socket = fresh;
      }
      socket.write(bytes);
      const abort = new AbortController();
      const { signal } = abort;
      const closed = once(socket, 'close', { signal }).then(() => undefined);
      const answered = once(socket, 'data', { signal }).then(([data]) => String(data));
      const data = await Promise.race([answered, closed]);
      abort.abort();
      await Promise.allSettled([answered, closed]);
      const [answer] = answersIn(data ?? '');
      if (answer?.fields['connection'] !== 'keep-alive') {
        socket.destroy();
        socket = undefined;
      }
      return answer?.status ?? `${kind} closed without an answer`;
    } catch (error) {
      socket?.destroy();
      socket = undefined;
      const end = endOf(error as NodeJS.ErrnoException);
      return end === 'refused' ? end : `${kind} ${end}`;
    }
  };
}
