import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import type { SharedBudget } from '../shared-budget.js';
import type { Turns } from '../turns.js';

/** What is parsed at once: more of it while that is quick, and less where it took longer than `SLICE_MS`. */
const MIN_SLICE_BYTES = 1024;
const MAX_SLICE_BYTES = 16 * 1024;
const SLICE_MS = 0.3;

/** What all connections of a process share for this. */
export interface Pacing {
  readonly turns: Pick<Turns, 'take'>;
  /** Bytes of memory for what was received and not parsed yet. */
  readonly budget: SharedBudget;
}

type Listener = (bytes: Buffer) => void;

/** The connection whose input this is. */
interface Owner {
  readonly client: string;
  /** Whether what was parsed before leaves room for more. */
  mayParse(): boolean;
  /** Stops reading from the socket. */
  hold(): void;
  /** Called when everything that was received has been parsed. */
  onParsed(): void;
  /** Called where the budget has no room. */
  onRefused(): void;
}

/**
 * Parses what a connection receives in slices, each of them in a turn of its own. Node parses at once what it has
 * received, up to 2 MiB. With short requests or chunks in it, that takes seconds: each of them costs several
 * microseconds, however short it is.
 */
export class PacedInput {
  private readonly parse: Listener;
  private rest: Buffer | undefined;
  private held = 0;
  private sliceBytes = MIN_SLICE_BYTES;
  private isDense = false;
  private isTaking = false;

  /** Takes the place of Node's own listener to the data of this socket. */
  constructor(
    private readonly socket: Socket,
    private readonly pacing: Pacing,
    private readonly owner: Owner,
  ) {
    const [[parse], [onPause], [onResume]] = [
      socket.listeners('data') as Listener[],
      socket.listeners('pause') as (() => void)[],
      socket.listeners('resume') as (() => void)[],
    ];
    assert(parse && onPause && onResume, 'an HTTP server reads from its sockets');
    this.parse = parse;
    socket.removeAllListeners('data');
    // From this listener on, a socket passes its data on instead of having it parsed where it is received. The server
    // then removes those by which a pause stops the system's reads. Otherwise 64 KiB more would be read ahead.
    socket.on('data', this.onData);
    socket.on('pause', onPause);
    socket.prependListener('resume', onResume);
    socket._read = () => {};
    if (!socket.isPaused()) onResume.call(socket);
    socket.once('close', () => this.stop());
  }

  /** Whether something was received and is not parsed yet. */
  get isWaiting(): boolean {
    return this.rest !== undefined;
  }

  /** To be called whenever there may be room for more requests. */
  proceed(): void {
    if (this.isTaking || !this.rest || !this.owner.mayParse()) return;
    this.isTaking = true;
    void this.pacing.turns.take(this.owner.client).then(() => {
      this.isTaking = false;
      this.parseSlice();
    });
  }

  /** Ignores what was received and what will be. */
  stop(): void {
    this.socket.off('data', this.onData);
    this.giveBack();
    this.rest = undefined;
  }

  private readonly onData = (bytes: Buffer): void => {
    assert(!this.rest, 'nothing is read while something waits');
    if (!this.isDense && bytes.length <= this.sliceBytes) {
      this.parseNow(bytes);
      return;
    }
    const { owner, pacing } = this;
    if (!pacing.budget.take(owner.client, bytes.length)) {
      owner.onRefused();
      return;
    }
    this.held = bytes.length;
    this.rest = bytes;
    owner.hold();
    this.proceed();
  };

  private parseSlice(): void {
    const { rest, sliceBytes } = this;
    if (!rest || !this.owner.mayParse()) return;
    this.rest = rest.length > sliceBytes ? rest.subarray(sliceBytes) : undefined;
    this.parseNow(rest.subarray(0, sliceBytes));
    if (this.rest) this.proceed();
    else {
      this.giveBack();
      this.owner.onParsed();
    }
  }

  private parseNow(bytes: Buffer): void {
    const start = performance.now();
    this.parse(bytes);
    this.isDense = performance.now() - start > SLICE_MS;
    this.sliceBytes = this.isDense ? MIN_SLICE_BYTES : Math.min(2 * this.sliceBytes, MAX_SLICE_BYTES);
  }

  private giveBack(): void {
    if (this.held > 0) this.pacing.budget.give(this.owner.client, this.held);
    this.held = 0;
  }
}
