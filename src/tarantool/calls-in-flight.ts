import assert from 'node:assert/strict';
import type { Writable } from 'node:stream';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { type CallOutcome, tellEndedCall } from './ended-calls.js';
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

interface Call {
  readonly functionName: string;
  readonly sync: number;
  readonly sentAt: number;
  readonly resolve: (body: MsgpackReader) => void;
  readonly reject: (error: Error) => void;
  /** The deadline of the call has passed. Its answer may still arrive, and is ignored. */
  isAbandoned: boolean;
}

/**
 * The calls of one logged-in connection. They end with its socket, so no answer can reach a call of the next
 * connection.
 */
export class CallsInFlight {
  /**
   * The calls, by their sync modulo the number of slots. A Map would be rebuilt as it fills, and V8 links the old
   * table to the new one. An old table that the garbage collector has moved to the old generation would keep alive
   * all calls made since.
   */
  private readonly slots: (Call | undefined)[];
  private inFlight = 0;
  /** The oldest sync that may still wait for its deadline. Syncs are given out in the order of deadlines. */
  private oldestSync: number;
  private silentSince = 0;
  private isCorked = false;

  constructor(
    private readonly socket: Writable,
    private readonly limits: CallLimits,
    private nextSync = 0,
  ) {
    this.oldestSync = nextSync;
    // A power of two, so that neighbouring syncs have different slots also where the numbering starts again at 0.
    const size = 2 ** Math.ceil(Math.log2(limits.maxInFlight));
    this.slots = Array.from({ length: size }, () => undefined);
  }

  /** Whether a call made now would be sent. False from the moment when the socket begins to end. */
  get isOpen(): boolean {
    return this.socket.writable;
  }

  /** How many calls wait for an answer, with those that were given up. */
  get count(): number {
    return this.inFlight;
  }

  /** `functionName` is only told, with the end of the call. */
  send(template: Buffer, args: Uint8Array, functionName = ''): Promise<MsgpackReader> {
    const { socket, limits } = this;
    // A call that was given up still occupies the server, so it counts.
    if (this.inFlight >= limits.maxInFlight) {
      return refuse(functionName, 'too many calls in flight');
    }
    if (socket.writableLength + template.length + args.length > limits.maxQueuedBytes) {
      return refuse(functionName, 'too many bytes wait to be sent');
    }
    return new Promise((resolve, reject) => {
      const sentAt = performance.now();
      if (this.inFlight === 0) this.silentSince = sentAt;
      const sync = this.takeSync();
      this.slots[this.slotOf(sync)] = { functionName, sync, sentAt, resolve, reject, isAbandoned: false };
      this.inFlight++;
      this.write(callPacket(template, sync, args));
    });
  }

  /** @throws {TarantoolProtocolError} when the answer belongs to no call. */
  answer(header: AnswerHeader, body: MsgpackReader): void {
    const { code, sync } = header;
    const now = performance.now();
    this.silentSince = now;
    const slot = this.slotOf(sync);
    const call = this.slots[slot];
    if (call?.sync !== sync) throw new TarantoolProtocolError('an answer to nothing that was asked');
    if (isPush(code)) return;
    if (!isSuccess(code) && !isError(code)) throw new TarantoolProtocolError(`an answer of type ${code}`);
    assert(this.inFlight > 0, 'a call that is answered was counted');
    this.slots[slot] = undefined;
    this.inFlight--;
    if (call.isAbandoned) return;
    tell(call, isSuccess(code) ? 'answered' : 'refused', now);
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

  /** To be called regularly. Gives up calls whose deadline has passed, and a server that answers nothing at all. */
  enforceDeadlines(now: number): void {
    const { timeoutMs } = this.limits;
    for (; this.oldestSync !== this.nextSync; this.oldestSync = after(this.oldestSync)) {
      const call = this.slots[this.slotOf(this.oldestSync)];
      if (call?.sync !== this.oldestSync || call.isAbandoned) continue;
      if (now - call.sentAt < timeoutMs) break;
      call.isAbandoned = true;
      tell(call, 'unknown', now);
      call.reject(new TarantoolOutcomeUnknownError(`no answer within ${timeoutMs} ms`));
    }
    if (this.inFlight > 0 && now - this.silentSince > 2 * timeoutMs) {
      this.socket.destroy(new Error(`the server has been silent for ${2 * timeoutMs} ms`));
    }
  }

  /**
   * Settles all calls. Bytes that still wait in the socket's buffer count as sent, because nobody can tell how many
   * of them were.
   */
  end(cause: Error): void {
    const now = performance.now();
    const error = new TarantoolOutcomeUnknownError('the connection ended before the answer', { cause });
    for (const [slot, call] of this.slots.entries()) {
      if (!call) continue;
      this.slots[slot] = undefined;
      this.inFlight--;
      if (call.isAbandoned) continue;
      tell(call, 'unknown', now);
      call.reject(error);
    }
    assert.equal(this.inFlight, 0, 'every call in flight has a slot');
  }

  private slotOf(sync: number): number {
    return sync & (this.slots.length - 1);
  }

  /** The next sync whose slot is free. There are at least as many slots as calls, so there is one. */
  private takeSync(): number {
    assert(this.inFlight < this.slots.length, 'a slot is free');
    let sync = this.nextSync;
    while (this.slots[this.slotOf(sync)]) sync = after(sync);
    this.nextSync = after(sync);
    return sync;
  }

  /** Writes a packet. All packets of one turn of the event loop are written with one system call. */
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

function tell({ functionName, sentAt }: Call, outcome: CallOutcome, now: number): void {
  tellEndedCall(functionName, outcome, sentAt, now);
}

function refuse(functionName: string, reason: string): Promise<never> {
  tellEndedCall(functionName, 'not_sent', 0, 0);
  return Promise.reject(new TarantoolNotSentError(reason));
}

function after(sync: number): number {
  return (sync + 1) >>> 0;
}
