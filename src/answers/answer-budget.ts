import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { KvError } from '../entries/kv.errors.js';
import { AnswerLease } from './answer-lease.js';

/**
 * How many answers may wait for room: of all clients together, and of one client half as many. A waiting request
 * holds a few KiB.
 */
const MAX_WAITING = 2048;
/**
 * Equals the default timeout of a call to the store. A client that would wait longer is better served by another
 * worker.
 */
const MAX_WAIT_MS = 2000;

interface Waiter {
  readonly bytes: number;
  grant(lease: AnswerLease): void;
}

interface Client {
  used: number;
  readonly line: Waiter[];
}

/**
 * Bounds the bytes that all large answers of a process hold: while they arrive from the store, as JSON, and until
 * their clients have read them. A request that finds no room waits in the queue of its client, and the clients take
 * turns. One client, known by its address, holds at most half of the room. An answer larger than that half is counted
 * as exactly half.
 */
export class AnswerBudget {
  private readonly share: number;
  /** The clients that hold room or wait for it, in the order of their turns. */
  private readonly clients = new Map<string, Client>();
  private free: number;
  private waiting = 0;
  private readonly covered = new WeakSet<ServerResponse>();

  constructor(
    private readonly maxBytes: number,
    private readonly maxWaiting = MAX_WAITING,
  ) {
    this.free = maxBytes;
    this.share = Math.floor(maxBytes / 2);
  }

  /** Bytes that are held at the moment. */
  get used(): number {
    return this.maxBytes - this.free;
  }

  /** @throws {KvError} STORAGE_UNAVAILABLE when too many requests wait, or when this one has waited too long. */
  take(bytes: number, address: string): Promise<AnswerLease> {
    const client = this.client(address);
    if (this.waiting >= this.maxWaiting || client.line.length >= this.maxWaiting / 2) {
      return Promise.reject(unavailable('too many large answers wait for room'));
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        bytes: Math.min(bytes, this.share),
        grant: (lease) => {
          clearTimeout(timer);
          resolve(lease);
        },
      };
      const timer = setTimeout(() => {
        const place = client.line.indexOf(waiter);
        assert(place >= 0, 'a request that gives up is still waiting');
        client.line.splice(place, 1);
        this.waiting--;
        this.forgetIdle(address, client);
        // The request that gave up may have been the large one that nobody was allowed to overtake.
        this.serve();
        reject(unavailable(`no room for a large answer within ${MAX_WAIT_MS} ms`));
      }, MAX_WAIT_MS);
      client.line.push(waiter);
      this.waiting++;
      this.serve();
    });
  }

  /**
   * Takes room for an answer that exists already. Returns undefined where its client would hold more than its share.
   */
  takeNow(bytes: number, address: string): AnswerLease | undefined {
    const client = this.client(address);
    if (client.used + bytes <= this.share) return this.lease(bytes, address, client);
    this.forgetIdle(address, client);
    return undefined;
  }

  /** Notes that room is held already for the bytes of this answer. */
  cover(response: ServerResponse): void {
    this.covered.add(response);
  }

  covers(response: ServerResponse): boolean {
    return this.covered.has(response);
  }

  /**
   * Nobody overtakes the client whose turn it is, or small answers would keep a large one waiting. Only a client that
   * holds too much already is passed over.
   */
  private serve(): void {
    if (this.waiting === 0) return;
    for (const [address, client] of this.clients) {
      const [next] = client.line;
      if (!next || client.used + next.bytes > this.share) continue;
      if (next.bytes > this.free) return;
      client.line.shift();
      this.waiting--;
      // Moves this client to the end, where the same loop meets it again.
      this.clients.delete(address);
      this.clients.set(address, client);
      next.grant(this.lease(next.bytes, address, client));
    }
  }

  private lease(bytes: number, address: string, client: Client): AnswerLease {
    client.used += bytes;
    this.free -= bytes;
    return new AnswerLease(bytes, (given) => {
      client.used -= given;
      this.free += given;
      assert(client.used >= 0, 'an answer gives back no more room than it has taken');
      this.forgetIdle(address, client);
      this.serve();
    });
  }

  private client(address: string): Client {
    let client = this.clients.get(address);
    if (!client) {
      client = { used: 0, line: [] };
      this.clients.set(address, client);
    }
    return client;
  }

  private forgetIdle(address: string, { used, line }: Client): void {
    if (used === 0 && line.length === 0) this.clients.delete(address);
  }
}

function unavailable(reason: string): KvError {
  return new KvError('STORAGE_UNAVAILABLE', { cause: new Error(reason) });
}
