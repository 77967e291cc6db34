import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { CallsInFlight } from './calls-in-flight.js';
import { DriverConnection } from './driver-connection.js';
import { tellEndedCall } from './ended-calls.js';
import { callTemplate } from './iproto.js';
import { TarantoolNotSentError } from './tarantool-client.errors.js';

const DEFAULT_MAX_IN_FLIGHT = 4096;
const DEFAULT_MAX_QUEUED_BYTES = 64 * 1024 * 1024;
const MIN_SWEEP_MS = 5;

export interface TarantoolClientOptions {
  host?: string;
  port?: number;
  /** The path of a Unix socket, instead of host and port. */
  path?: string;
  user: string;
  password: string;
  /**
   * The timeout of a call, and of connecting and logging in. It is accurate to a twentieth, or to 5 ms where that is
   * more.
   */
  timeoutMs: number;
  /** The most calls that wait for an answer. Calls that were given up count until their answers arrive. */
  maxInFlight?: number;
  /** The most bytes of calls that the socket has not taken yet. */
  maxQueuedBytes?: number;
  /**
   * Called at each login and each loss of the connection. While there is no connection, it is also called for each
   * new reason.
   */
  onStateChange?(connected: boolean, cause?: Error): void;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Calls stored functions of one Tarantool over one connection, which it restores by itself. It queues nothing while
 * there is no connection, and sends nothing twice. Every call settles: with the answer, or with
 * `TarantoolNotSentError`, `TarantoolOutcomeUnknownError` or `TarantoolServerError`.
 */
export class TarantoolClient {
  private readonly connection: DriverConnection;
  private calls: CallsInFlight | undefined;
  /** The packets by function name. The names come from our own code, so there are few. */
  private readonly templates = new Map<string, Buffer>();
  private readonly waiters = new Set<Waiter>();
  private sweep: NodeJS.Timeout | undefined;
  private loginCount = 0;
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

  /** How often it has logged in: once, and again after each loss of the connection. */
  get logins(): number {
    return this.loginCount;
  }

  /** Calls that wait for an answer, with those that were given up. */
  get callsInFlight(): number {
    return this.calls?.count ?? 0;
  }

  /** Starts connecting, and keeps trying until `close()`. */
  connect(): void {
    if (this.sweep !== undefined || this.closing !== undefined) return;
    const everyMs = Math.max(MIN_SWEEP_MS, this.options.timeoutMs / 20);
    // The check runs in an immediate, after the poll phase. If this process itself was held up, the answers that have
    // arrived meanwhile are read before any call is declared late.
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
   * `args` is a MessagePack array. The returned reader stands at the array that the function returned, which is
   * complete and well formed. It is a view of the receive buffer, so copy what has to be kept for long.
   */
  call(functionName: string, args: Uint8Array): Promise<MsgpackReader> {
    const { calls } = this;
    if (calls === undefined || !calls.isOpen) {
      tellEndedCall(functionName, 'not_sent', 0, 0);
      return Promise.reject(this.notConnected());
    }
    let template = this.templates.get(functionName);
    if (template === undefined) {
      template = callTemplate(functionName);
      this.templates.set(functionName, template);
    }
    return calls.send(template, args, functionName);
  }

  /** Rejects the calls in flight: their outcome is unknown. It does not wait for the server. */
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
    assert.equal(this.calls, undefined, 'the calls of the connection before have ended with it');
    this.lastFailure = undefined;
    this.loginCount++;
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
