import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import TarantoolDriver from 'tarantool-driver';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { type AnswerHeader, errorNumber, isSuccess, readAnswerHeader, readErrorMessage } from './iproto.js';
import { PacketFramer, TarantoolProtocolError } from './packet-framer.js';
import { StoreProof } from './store-proof.js';
import { TarantoolServerError } from './tarantool-client.errors.js';

const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 500;

export interface DriverConnectionOptions {
  host?: string;
  port?: number;
  path?: string;
  user: string;
  password: string;
  /** The time for connecting, the greeting, the login and the proof together. */
  timeoutMs: number;
}

export interface DriverConnectionListener {
  /** Called after the login, when the server has proven that it is our store. */
  onLogin(socket: Socket): void;
  /** `body` stands behind the header. Where this throws, the connection is closed. */
  onAnswer(header: AnswerHeader, body: MsgpackReader): void;
  /** Called when a connection ended, or an attempt to connect failed. */
  onDown(cause: Error): void;
}

/**
 * Uses tarantool-driver for what it does well: connecting, the greeting, the login and the reconnect timer. The
 * driver is handed one whole packet at a time. Its commands, its queues and its decoder of answers are never used,
 * because they lose, mix up and repeat calls.
 */
export class DriverConnection {
  private readonly driver: TarantoolDriver;
  private socket: Socket | undefined;
  private attemptStartedAt = 0;
  /** The proof that is under way, between the login and the first call. */
  private proof: StoreProof | undefined;
  private isLoggedIn = false;
  private isClosed = false;
  private failuresSinceLogin = 0;

  constructor(
    private readonly options: DriverConnectionOptions,
    private readonly listener: DriverConnectionListener,
  ) {
    // Without a password the driver would log in as `guest`.
    if (options.password === '') throw new TypeError('Tarantool needs a password');
    this.driver = new TarantoolDriver({
      ...(options.path === undefined ? { host: options.host, port: options.port } : { path: options.path }),
      username: options.user,
      password: options.password,
      lazyConnect: true,
      enableOfflineQueue: false,
      retryStrategy: () => this.nextRetryMs(),
    });
    // Without a listener the driver prints errors. The socket reports the same ones to us.
    this.driver.on('error', () => undefined);
    this.driver._processResponse = (packet, offset) => this.readAnswer(packet, offset);

    const { connector } = this.driver;
    const createSocket = connector.connect.bind(connector);
    connector.connect = (callback) =>
      createSocket((error, socket) => {
        callback(error, socket);
        if (socket) this.adopt(socket);
        else this.listener.onDown(error ?? new Error('no socket'));
      });
  }

  /** Starts connecting. Every failure is followed by another attempt, until `close()`. */
  connect(): void {
    this.driver.connect().catch(() => undefined); // reported by onDown
  }

  /** To be called regularly. Gives up an attempt to connect and log in that takes too long. */
  enforceHandshakeDeadline(now: number): void {
    const { timeoutMs } = this.options;
    if (this.socket && !this.isLoggedIn && now - this.attemptStartedAt > timeoutMs) {
      this.socket.destroy(new Error(`no login within ${timeoutMs} ms`));
    }
  }

  /** Resolves when the socket is closed. This does not depend on the server. */
  async close(): Promise<void> {
    this.isClosed = true;
    const { socket } = this;
    const gone = socket && new Promise<void>((resolve) => socket.once('close', resolve));
    socket?.destroy();
    this.driver.disconnect(); // stops its timer, and an attempt that has no socket yet
    await gone;
  }

  /**
   * The delay grows with each failure since the last successful login. So a server that accepts connections and then
   * refuses the login is not flooded.
   */
  private nextRetryMs(): number | null {
    if (this.isClosed) return null;
    return Math.min(FIRST_RETRY_MS * 2 ** this.failuresSinceLogin++, MAX_RETRY_MS);
  }

  private adopt(socket: Socket): void {
    assert.equal(this.socket, undefined, 'a connection begins when the one before it has ended');
    this.socket = socket;
    this.attemptStartedAt = performance.now();
    let cause = new Error('the server closed the connection');

    const [driversListener] = socket.listeners('data');
    if (!driversListener) throw new Error('tarantool-driver no longer listens to the data of its socket');
    socket.removeAllListeners('data');
    const framer = new PacketFramer((packet) => driversListener.call(socket, packet));
    socket.on('data', (chunk: Buffer) => {
      try {
        framer.push(chunk);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    // The driver listens to the first error only. A second one must not become an uncaught exception.
    socket.on('error', (error) => (cause = error));
    // A half-open connection is useless: the calls in flight will get no answer.
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      this.socket = undefined;
      this.isLoggedIn = false;
      this.proof = undefined;
      // The login is forgotten and not rejected. After a rejected login the driver cancels the retry that it has just
      // scheduled.
      this.driver.commandsQueue.clear();
      this.listener.onDown(cause);
    });
  }

  private readAnswer(packet: Buffer, offset: number): void {
    const body = new MsgpackReader(packet, offset);
    const header = readAnswerHeader(body);
    if (this.isLoggedIn) this.listener.onAnswer(header, body);
    else if (this.proof) this.finishProof(this.proof, header, body);
    else this.finishLogin(header, body);
  }

  private finishLogin(header: AnswerHeader, body: MsgpackReader): void {
    const login = this.driver.commandsQueue.shift();
    if (login?.[1] !== header.sync) throw new TarantoolProtocolError('an answer before the login');
    if (!isSuccess(header.code))
      throw new TarantoolServerError(errorNumber(header.code), readErrorMessage(body));
    login[2].resolve(true);
    this.proof = new StoreProof(this.options.password);
    this.socket?.write(this.proof.request());
  }

  private finishProof(proof: StoreProof, header: AnswerHeader, body: MsgpackReader): void {
    proof.check(header, body);
    this.proof = undefined;
    assert(this.socket, 'an answer arrives over a socket');
    this.isLoggedIn = true;
    this.failuresSinceLogin = 0;
    this.listener.onLogin(this.socket);
  }
}
