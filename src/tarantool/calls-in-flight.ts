import type { Writable } from 'node:stream';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import {
  type AnswerHeader,
  callPacket,
  errorNumber,
  isError,
  isPush,
  isSuccess,
  readErrorMessage,
  seekData,
} from './iproto.js';
import { TarantoolProtocolError } from './packet-framer.js';
import {
  TarantoolNotSentError,
  TarantoolOutcomeUnknownError,
  TarantoolServerError,
} from './tarantool-client.errors.js';

export interface CallLimits {
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly maxQueuedBytes: number;
}

interface PendingCall {
  readonly sentAt: number;
  readonly resolve: (body: MsgpackReader) => void;
  readonly reject: (error: Error) => void;
}

/** The calls of one logged-in connection. It ends with its socket, so nothing of it can reach the next one. */
export class CallsInFlight {
  /** By sync. Insertion order is the order of deadlines, as all calls have the same timeout. */
  private readonly pending = new Map<number, PendingCall>();
  /** Syncs of calls whose deadline passed: their answers may still come, and mean nothing any more. */
  private readonly abandoned = new Set<number>();
  private silentSince = 0;
  private isCorked = false;

  constructor(
    private readonly socket: Writable,
    private readonly limits: CallLimits,
    private nextSync = 0,
  ) {}

  /** Whether a call that is made now would reach the wire; false from the moment the socket starts to end. */
  get isOpen(): boolean {
    return this.socket.writable;
  }

  send(template: Buffer, args: Uint8Array): Promise<MsgpackReader> {
    const { socket, limits, pending } = this;
    // An abandoned call still occupies the server, so it counts; that also bounds what we must remember.
    const inFlight = pending.size + this.abandoned.size;
    if (inFlight >= limits.maxInFlight) {
      return Promise.reject(new TarantoolNotSentError('too many calls in flight'));
    }
    if (socket.writableLength + template.length + args.length > limits.maxQueuedBytes) {
      return Promise.reject(new TarantoolNotSentError('too many bytes wait to be sent'));
    }
    return new Promise((resolve, reject) => {
      const sentAt = performance.now();
      if (inFlight === 0) this.silentSince = sentAt;
      const sync = this.takeSync();
      pending.set(sync, { sentAt, resolve, reject });
      this.write(callPacket(template, sync, args));
    });
  }

  /** Throws `TarantoolProtocolError` when the answer belongs to no call. */
  answer(header: AnswerHeader, body: MsgpackReader): void {
    const { code, sync } = header;
    this.silentSince = performance.now();
    const call = this.pending.get(sync);
    if (call === undefined) {
      if (!this.abandoned.has(sync)) throw new TarantoolProtocolError('an answer to nothing that was asked');
      if (!isPush(code)) this.abandoned.delete(sync);
      return;
    }
    if (isPush(code)) return;
    if (!isSuccess(code) && !isError(code)) throw new TarantoolProtocolError(`an answer of type ${code}`);
    this.pending.delete(sync);
    try {
      if (isSuccess(code)) {
        seekData(body);
        call.resolve(body);
      } else {
        call.reject(new TarantoolServerError(errorNumber(code), readErrorMessage(body)));
      }
    } catch (cause) {
      call.reject(new TarantoolOutcomeUnknownError('the answer is malformed', { cause }));
    }
  }

  /** To be called regularly: gives up on calls whose deadline has passed, and on a server that answers nothing at all. */
  enforceDeadlines(now: number): void {
    const { timeoutMs } = this.limits;
    for (const [sync, call] of this.pending) {
      if (now - call.sentAt < timeoutMs) break;
      this.pending.delete(sync);
      this.abandoned.add(sync);
      call.reject(new TarantoolOutcomeUnknownError(`no answer within ${timeoutMs} ms`));
    }
    if (this.pending.size + this.abandoned.size > 0 && now - this.silentSince > 2 * timeoutMs) {
      this.socket.destroy(new Error(`the server has been silent for ${2 * timeoutMs} ms`));
    }
  }

  /** Settles everything: bytes that were only corked count as sent, because nobody can say how far they got. */
  end(cause: Error): void {
    const error = new TarantoolOutcomeUnknownError('the connection ended before the answer', { cause });
    for (const call of this.pending.values()) call.reject(error);
    this.pending.clear();
    this.abandoned.clear();
  }

  private takeSync(): number {
    let sync = this.nextSync;
    while (this.pending.has(sync) || this.abandoned.has(sync)) sync = (sync + 1) >>> 0;
    this.nextSync = (sync + 1) >>> 0;
    return sync;
  }

  /** One system call for all that is written in a turn of the event loop. */
  private write(packet: Buffer): void {
    if (!this.isCorked) {
      this.isCorked = true;
      this.socket.cork();
      setImmediate(this.flush);
    }
    this.socket.write(packet);
  }

  private readonly flush = (): void => {
    this.isCorked = false;
    this.socket.uncork();
  };
}
