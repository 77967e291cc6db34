import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import { answersIn, message } from './raw.js';

/** How a request ended: with a status, with `refused` before it was accepted, or with the way in which it failed. */
type End = number | string;

/** Sends a request and returns how it ended. It keeps its connection until it is told to close it. */
type Client = () => Promise<End>;

const RETRY_MS = 10;

/** Clients that send the next request as soon as they have an answer, on connections that they keep open. */
export class LoopingClients {
  /** How many answers each client has got. */
  readonly answered: number[];
  /** All other ends of requests, except refused connections. */
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

/** A connection that could not be made was refused, or the system reset it because no process had accepted it. */
function endOf({ code, syscall, message: text }: NodeJS.ErrnoException): End {
  return syscall === 'connect' ? 'refused' : `${code} ${text}`;
}

/** Node's own client, with an agent that keeps its connection open. */
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

/**
 * undici, which `fetch` uses. Each client has a connection of its own, because undici's pool makes new ones at any
 * time.
 */
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

/** A connection on which one request follows another until an answer says that it is the last. */
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
