import type { Socket } from 'node:net';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { CallsInFlight } from './calls-in-flight.js';
import { DriverConnection } from './driver-connection.js';
import { callTemplate } from './iproto.js';
import { TarantoolNotSentError } from './tarantool-client.errors.js';

const DEFAULT_MAX_IN_FLIGHT = 4096;
const DEFAULT_MAX_QUEUED_BYTES = 64 * 1024 * 1024;
const MIN_SWEEP_MS = 5;

export interface TarantoolClientOptions {
  host?: string;
  port?: number;
  /** A Unix socket, instead of host and port. */
  path?: string;
  user: string;
  password: string;
  /** For a call, and for connecting and logging in. Kept to within a twentieth, or 5 ms if that is more. */
  timeoutMs: number;
  /** Calls that wait for their answer, those included that were given up on. */
  maxInFlight?: number;
  /** Bytes of calls which the socket has not taken yet. */
  maxQueuedBytes?: number;
  /** Told of every login and loss, and, while there is no connection, of each new reason for it. */
  onStateChange?(connected: boolean, cause?: Error): void;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Calls stored functions of one Tarantool over one connection, which it keeps up by itself. Nothing is queued while
 * there is none, nothing is sent twice, and every call settles: with the answer, or with one of
 * `TarantoolNotSentError`, `TarantoolOutcomeUnknownError`, `TarantoolServerError`.
 */
export class TarantoolClient {
  private readonly connection: DriverConnection;
  private calls: CallsInFlight | undefined;
  /** By function name. The names come from our own code, so there are few. */
  private readonly templates = new Map<string, Buffer>();
  private readonly waiters = new Set<Waiter>();
  private sweep: NodeJS.Timeout | undefined;
  private lastFailure: Error | undefined;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: TarantoolClientOptions) {
    this.connection = new DriverConnection(options, {
      onLogin: (socket) => this.loggedIn(socket),
      onAnswer: (header, body) => this.calls?.answer(header, body),
      onDown: (cause) => this.down(cause),
    });
  }

  get isConnected(): boolean {
    return this.calls?.isOpen === true;
  }

  /** Starts connecting, and does not stop trying before `close()`. */
  connect(): void {
    if (this.sweep !== undefined || this.closing !== undefined) return;
    const everyMs = Math.max(MIN_SWEEP_MS, this.options.timeoutMs / 20);
    // In an immediate, behind the poll phase: if this process itself was held up, the answers that have arrived
    // meanwhile are read before anything is declared late.
    this.sweep = setInterval(() => setImmediate(this.enforceDeadlines), everyMs).unref();
    this.connection.connect();
  }

  /** Rejects with `TarantoolNotSentError` when there is no login within `deadlineMs`, or on `close()`. */
  whenConnected(deadlineMs: number): Promise<void> {
    if (this.isConnected) return Promise.resolve();
    if (this.closing !== undefined) return Promise.reject(this.notConnected());
    return new Promise((resolve, reject) => {
      const settle = (error?: Error): void => {
        clearTimeout(timer);
        this.waiters.delete(waiter);
        if (error) reject(error);
        else resolve();
      };
      const waiter: Waiter = { resolve: () => settle(), reject: settle };
      const timer = setTimeout(() => settle(this.notConnected()), deadlineMs);
      this.waiters.add(waiter);
    });
  }

  /**
   * `args` is a MessagePack array. The reader stands at the array of what the function returned, whole and well
   * formed; it is a view of the receive buffer, so copy what is to be kept for long.
   */
  call(functionName: string, args: Uint8Array): Promise<MsgpackReader> {
    const { calls } = this;
    if (calls === undefined || !calls.isOpen) return Promise.reject(this.notConnected());
    let template = this.templates.get(functionName);
    if (template === undefined) {
      template = callTemplate(functionName);
      this.templates.set(functionName, template);
    }
    return calls.send(template, args);
  }

  /** Whatever is in flight is rejected as unknown. Does not wait for the server. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    clearInterval(this.sweep);
    await this.connection.close();
    for (const waiter of this.waiters) waiter.reject(this.notConnected());
  }

  private loggedIn(socket: Socket): void {
    const { timeoutMs, maxInFlight, maxQueuedBytes } = this.options;
    this.lastFailure = undefined;
    this.calls = new CallsInFlight(socket, {
      timeoutMs,
      maxInFlight: maxInFlight ?? DEFAULT_MAX_IN_FLIGHT,
      maxQueuedBytes: maxQueuedBytes ?? DEFAULT_MAX_QUEUED_BYTES,
    });
    for (const waiter of this.waiters) waiter.resolve();
    this.options.onStateChange?.(true);
  }

  private down(cause: Error): void {
    const { calls, lastFailure } = this;
    this.calls = undefined;
    this.lastFailure = cause;
    calls?.end(cause);
    if (this.closing !== undefined) return;
    if (calls !== undefined || lastFailure?.message !== cause.message)
      this.options.onStateChange?.(false, cause);
  }

  private notConnected(): TarantoolNotSentError {
    const message = this.closing === undefined ? 'not connected' : 'closed';
    return new TarantoolNotSentError(message, this.lastFailure && { cause: this.lastFailure });
  }

  private readonly enforceDeadlines = (): void => {
    const now = performance.now();
    this.connection.enforceHandshakeDeadline(now);
    this.calls?.enforceDeadlines(now);
  };
}
