import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { failBody } from '../bodies/body-failure.js';
import type { WrittenAnswers } from './written-answers.js';
import type { HttpErrorCode } from '../http.errors.js';
import { HttpError } from '../http.errors.js';
import { discardRest } from './discard-rest.js';

/** They change nothing, so they may be answered side by side (RFC 9110 §9.2.1). */
const SAFE_METHODS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/** Safe requests of one connection that are under way together. */
const MAX_TOGETHER = 16;

/** A connection that was closed at once would be reset while its client still sends, and the last answer lost (RFC 9112 §9.6). */
const LINGER_MS = 1000;

type Response = ServerResponse<IncomingMessage>;

/**
 * The requests of one connection, in their order (RFC 9112 §9.3.2): an unsafe request begins when all before it have ended, and
 * no other begins until it has ended itself. While a request waits, nothing more is read from the socket; what was read together
 * with it (64 KiB at most) waits as well.
 */
export class Connection {
  private underWay = 0;
  private isSafeUnderWay = true;
  private latest: Response | undefined;
  private readonly waiting: Response[] = [];
  /** What is said last, when what came is no request. Empty where there is nothing to add. */
  private lastWords: string | undefined;
  private isHeld = false;
  private isLeaving = false;
  private quietSince = 0;
  private bytesRead = 0;

  constructor(
    private readonly socket: Socket,
    private readonly handle: (request: IncomingMessage, response: Response) => void,
    private readonly written: WrittenAnswers,
  ) {
    // So Node closes the connection when the last answer has left, with all that has not been read.
    socket.destroySoon = () => this.close();
    // Node reads on whenever a message is complete.
    socket.on('resume', () => {
      if (this.isHeld) socket.pause();
    });
    // Node says that itself, except of a request with Upgrade.
    socket.on('end', () => {
      if (this.latest?.req.complete === false) this.fail('MALFORMED_REQUEST');
    });
  }

  /** One more request has come. */
  add(response: Response): void {
    // Who can no longer be answered must not have it carried out.
    if (!this.socket.writable) return;
    this.latest = response;
    // Node's parser does without what it has read behind such a request, and goes on: that it was lost has to be said.
    if (response.req.headers.upgrade !== undefined) response.shouldKeepAlive = false;
    if (this.waiting.length === 0 && !this.isLeaving && this.mayBegin(response)) {
      this.begin(response);
      return;
    }
    this.waiting.push(response);
    this.hold();
    // Which one is the last is known when all that came together has been parsed.
    if (this.isLeaving) setImmediate(() => this.advance());
  }

  /**
   * What came is no request, or not a whole one. That is said after the answers to all requests before it, and ends the
   * connection; a request whose body broke off is answered by whoever reads the body. Without a code there is nothing to say.
   */
  fail(code?: HttpErrorCode): void {
    if (this.lastWords !== undefined) return;
    const broken = this.latest?.req.complete === false ? this.latest : undefined;
    if (broken && code && this.waiting.at(-1) !== broken) {
      this.lastWords = '';
      if (!broken.headersSent) broken.shouldKeepAlive = false;
      failBody(broken.req, new HttpError(code));
    } else {
      if (broken) this.waiting.pop();
      this.lastWords = code ? this.written.of(code) : '';
    }
    this.hold();
    this.advance();
  }

  /** From now on the last answer that is owed says that the connection is closed after it. */
  leave(): void {
    this.isLeaving = true;
    if (this.waiting.length === 0 && this.latest?.headersSent === false) this.latest.shouldKeepAlive = false;
  }

  /** Closes the connection where, looked at again and again, nothing came in or was under way for so long. */
  closeIfQuiet(quietMs: number): void {
    const now = performance.now();
    const isBusy = this.underWay > 0 || this.waiting.length > 0 || this.socket.bytesRead !== this.bytesRead;
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
    this.underWay++;
    this.isSafeUnderWay = SAFE_METHODS.has(response.req.method);
    if (this.isLeaving && this.waiting.length === 0) response.shouldKeepAlive = false;
    response.on('close', this.onEnded);
    this.handle(response.req, response);
  }

  private readonly onEnded = (): void => {
    this.underWay--;
    if (this.latest?.writableEnded && !this.latest.req.complete) discardRest(this.latest.req, this.socket);
    this.advance();
  };

  /** Half-closes where a client is still sending: what it sends on is discarded, so that it can read its answer. */
  private close(): void {
    if (this.latest?.req.complete === false) this.socket.end();
    else Socket.prototype.destroySoon.call(this.socket);
  }

  private advance(): void {
    // A request behind an answer that closed the connection is not carried out: nobody could be told (RFC 9112 §9.6).
    if (this.waiting.length > 0 && !this.socket.writable) this.waiting.length = 0;
    for (let next = this.waiting[0]; next && this.mayBegin(next); next = this.waiting[0]) {
      this.waiting.shift();
      this.begin(next);
    }
    if (!this.isHeld || this.waiting.length > 0) return;
    if (this.lastWords === undefined) this.release();
    else if (this.underWay === 0) this.end(this.lastWords);
  }

  private end(lastWords: string): void {
    this.release();
    if (!this.socket.writable) return;
    this.socket.end(lastWords);
    const linger = setTimeout(() => this.socket.destroy(), LINGER_MS);
    this.socket.on('close', () => clearTimeout(linger));
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
