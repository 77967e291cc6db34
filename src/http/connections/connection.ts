import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { failBody } from '../bodies/body-failure.js';
import type { HttpErrorCode } from '../http.errors.js';
import { HttpError } from '../http.errors.js';
import { discardRest } from './discard-rest.js';
import { endWith } from './end-with.js';
import { PacedInput } from './paced-input.js';
import type { Surroundings } from './surroundings.js';

/** Safe methods change nothing, so requests with them may run side by side (RFC 9110 §9.2.1). */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** How many safe requests of one connection run at the same time. */
const MAX_TOGETHER = 16;

type Response = ServerResponse<IncomingMessage>;

/**
 * Keeps the requests of one connection in their order (RFC 9112 §9.3.2). An unsafe request begins when all requests
 * before it have ended, and no other request begins until it has ended. While a request waits, nothing more is read
 * from the socket. Up to 64 KiB that were read together with it wait as well.
 */
export class Connection {
  private underWay = 0;
  private isSafeUnderWay = true;
  private latest: Response | undefined;
  private readonly waiting: Response[] = [];
  /** The final answer to bytes that were no valid request. Empty where there is nothing to answer. */
  private lastWords: string | undefined;
  private input: PacedInput | undefined;
  private isHeld = false;
  private isLeaving = false;
  private quietSince = 0;
  private bytesRead = 0;
  private readonly onInputEnd: () => void;

  constructor(
    private readonly socket: Socket,
    private readonly client: string,
    private readonly surroundings: Surroundings,
  ) {
    // Node calls this when the last answer has been sent. It would close the socket with all that has not been read.
    socket.destroySoon = () => this.close();
    // Node resumes reading whenever a message is complete.
    socket.on('resume', () => {
      if (this.isHeld) socket.pause();
    });
    // What was received before the end of the input may still wait to be parsed.
    const [, ofServer] = socket.listeners('end');
    assert(ofServer, 'an HTTP server listens to the end of its input');
    socket.off('end', ofServer as () => void);
    this.onInputEnd = () => {
      ofServer.call(socket);
      // Node itself reports an end in the middle of a request, except of a request with Upgrade.
      if (this.latest?.req.complete === false) this.fail('MALFORMED_REQUEST');
    };
    socket.on('end', () => {
      if (this.input?.isWaiting !== true) this.onInputEnd();
    });
  }

  /** Adds a request that has arrived. */
  add(response: Response): void {
    // A request whose client can no longer be answered must not be carried out.
    if (!this.socket.writable) return;
    this.latest = response;
    // Node's parser drops the bytes that it has read behind such a request, and goes on. Closing the connection tells
    // the client that they were lost.
    const { upgrade, 'transfer-encoding': coding } = response.req.headers;
    if (upgrade !== undefined) response.shouldKeepAlive = false;
    if (coding !== undefined) this.pace();
    if (this.waiting.length === 0 && !this.isLeaving && this.mayBegin(response)) return this.begin(response);
    this.waiting.push(response);
    if (this.waiting.length > MAX_TOGETHER) this.pace();
    this.hold();
    // All requests that arrived together have to be parsed before it is known which one is the last.
    if (this.isLeaving) setImmediate(() => this.advance());
  }

  /** From now on, what the client sends is parsed in slices. */
  pace(): void {
    if (this.input) return;
    const { client, socket, surroundings } = this;
    this.input = new PacedInput(socket, surroundings, {
      client,
      // Node stops its parser while answers wait to be sent, and must be given no more then: only the rest of a body.
      mayParse: () => this.waiting.length + this.underWay <= Number(this.latest?.req.complete === false),
      hold: () => this.hold(),
      onParsed: () => {
        if (socket.readableEnded) this.onInputEnd();
        this.advance();
      },
      onRefused: () => this.fail('TOO_BUSY'),
    });
    surroundings.onDense(client);
  }

  /**
   * Handles bytes that are no request, or an incomplete one. The failure is answered after all requests before it,
   * and then the connection is closed. A request whose body broke off is answered by the reader of the body. Without
   * a code there is nothing to answer.
   */
  fail(code?: HttpErrorCode): void {
    if (this.lastWords !== undefined) return;
    this.input?.stop();
    const broken = this.latest?.req.complete === false ? this.latest : undefined;
    if (broken && code && this.waiting.at(-1) !== broken) {
      this.lastWords = '';
      if (!broken.headersSent) broken.shouldKeepAlive = false;
      failBody(broken.req, new HttpError(code));
    } else {
      if (broken) this.waiting.pop();
      this.lastWords = code ? this.surroundings.written.of(code) : '';
    }
    this.hold();
    this.advance();
  }

  /** From now on the last outstanding answer says that the connection is closed after it. */
  leave(): void {
    this.isLeaving = true;
    if (!this.isHeld && this.latest?.headersSent === false) this.latest.shouldKeepAlive = false;
  }

  /** Closes the connection where nothing arrived and no request ran for this long. To be called repeatedly. */
  closeIfQuiet(quietMs: number): void {
    const now = performance.now();
    const isBusy = this.underWay > 0 || this.isHeld || this.socket.bytesRead !== this.bytesRead;
    if (isBusy || this.quietSince === 0) {
      this.quietSince = now;
      this.bytesRead = this.socket.bytesRead;
    } else if (this.socket.writableFinished) this.socket.destroy();
    else if (now - this.quietSince >= quietMs) this.socket.end();
  }

  private mayBegin({ req: { method } }: Response): boolean {
    if (this.underWay === 0) return true;
    return this.isSafeUnderWay && this.underWay < MAX_TOGETHER && SAFE_METHODS.has(method);
  }

  private begin(response: Response): void {
    assert(this.mayBegin(response), 'an unsafe request runs alone');
    this.underWay++;
    this.isSafeUnderWay = SAFE_METHODS.has(response.req.method);
    if (this.isLeaving && this.waiting.length === 0 && !this.input?.isWaiting)
      response.shouldKeepAlive = false;
    response.on('close', this.onEnded);
    this.surroundings.handle(response.req, response);
  }

  private readonly onEnded = (): void => {
    assert(this.underWay > 0, 'a request that ends has begun');
    this.underWay--;
    if (this.latest?.writableEnded && !this.latest.req.complete) discardRest(this.latest.req, this.socket);
    this.advance();
  };

  /**
   * Half-closes the connection where a client is still sending. What it still sends is discarded, so that it can read
   * its answer.
   */
  private close(): void {
    if (this.latest?.req.complete === false) this.socket.end();
    else Socket.prototype.destroySoon.call(this.socket);
  }

  private advance(): void {
    // Requests behind an answer that closed the connection are not carried out, because they cannot be answered (RFC
    // 9112 §9.6).
    if (this.waiting.length > 0 && !this.socket.writable) this.waiting.length = 0;
    for (let next = this.waiting[0]; next && this.mayBegin(next); next = this.waiting[0]) {
      this.waiting.shift();
      this.begin(next);
    }
    if (!this.isHeld || this.waiting.length > 0) return;
    if (this.lastWords !== undefined) {
      if (this.underWay === 0) this.end(this.lastWords);
    } else if (this.input?.isWaiting) this.input.proceed();
    else this.release();
  }

  private end(lastWords: string): void {
    this.release();
    if (this.socket.writable) endWith(this.socket, lastWords);
  }

  private hold(): void {
    this.isHeld = true;
    this.socket.pause();
  }

  private release(): void {
    this.isHeld = false;
    this.socket.resume();
  }
}
