import { write, writeSync } from 'node:fs';
import type { OutputDescriptor } from './output-descriptor.js';

const FIRST_RETRY_MS = 1;
const MAX_RETRY_MS = 100;
/** How long the end of the process waits for an output that takes nothing at the moment. */
const DRAIN_MS = 250;
const DRAIN_STEP_MS = 5;
const NEWLINE = 10;

interface Block {
  /** What of it is not written yet. */
  rest: Buffer;
  isBegun: boolean;
  /** How many lost lines it tells of; 0: it is an ordinary block. */
  readonly told: number;
}

/**
 * Writes blocks of whole lines to an output that belongs to others. It never throws and never waits: what the output does not take
 * at the moment is kept, up to a limit; what it refuses is lost and counted.
 */
export class LogOutput {
  /** Lines that were lost and have not been told of. */
  lostLines = 0;

  private queue: Block[] = [];
  private queuedBytes = 0;
  private retry: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private isTelling = false;
  /** What was written last is a part of a line whose rest was lost. */
  private isCutOff = false;
  /** Since when a thread of libuv's pool has been writing, in ms. */
  private writingSince: number | undefined;

  constructor(
    private readonly output: OutputDescriptor,
    private readonly maxQueuedBytes: number,
    /** What is to be written instead of a block. */
    private readonly render = (block: string): string => block,
  ) {}

  write(block: string): void {
    const bytes = Buffer.from(this.render(block));
    if (this.queuedBytes + bytes.length > this.maxQueuedBytes) this.lostLines += countLines(bytes);
    else this.enqueue(bytes, 0);
  }

  /** Writes a line that says how many lines were lost. They have been told of once it is written, and not when it is lost too. */
  tell(line: string): void {
    if (this.isTelling) return;
    this.isTelling = true;
    this.enqueue(Buffer.from(this.render(line)), this.lostLines);
  }

  /** For the end of the process, when no callback is called any more: writes what is left, if that is soon possible. */
  drain(): void {
    const now = performance.now();
    if (this.writingSince !== undefined) {
      // Node waits for its threads before it ends: for one that hangs in a write to a dead disk it would wait for ever.
      if (now - this.writingSince > DRAIN_MS) process.kill(process.pid, 'SIGKILL');
      this.queue.shift();
    }
    while (this.queue.length > 0 && performance.now() - now < DRAIN_MS) {
      if (!this.writeNow()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, DRAIN_STEP_MS);
    }
  }

  private enqueue(text: Buffer, told: number): void {
    const endsLine = this.isCutOff && this.queue.length === 0;
    const rest = endsLine ? Buffer.concat([Buffer.of(NEWLINE), text]) : text;
    this.queue.push({ rest, isBegun: false, told });
    this.queuedBytes += rest.length;
    this.pump();
  }

  private pump(): void {
    if (this.retry !== undefined || this.writingSince !== undefined) return;
    if (!this.output.isNonBlocking) this.writeByPool();
    else while (this.queue.length > 0) if (!this.writeNow()) return this.retryLater();
  }

  /** @returns false when the output takes nothing at the moment. */
  private writeNow(): boolean {
    const [block] = this.queue;
    if (block === undefined) return true;
    try {
      this.onWritten(block, writeSync(this.output.fd, block.rest));
      return true;
    } catch (error) {
      return this.onRefused(error as NodeJS.ErrnoException);
    }
  }

  private writeByPool(): void {
    const [block] = this.queue;
    if (block === undefined) return;
    this.writingSince = performance.now();
    write(this.output.fd, block.rest, (error, written) => {
      this.writingSince = undefined;
      if (!error) this.onWritten(block, written);
      else if (!this.onRefused(error)) return this.retryLater();
      this.pump();
    });
  }

  private onWritten(block: Block, count: number): void {
    if (count === 0) return;
    this.retryMs = FIRST_RETRY_MS;
    this.isCutOff = false;
    this.queuedBytes -= count;
    block.rest = block.rest.subarray(count);
    block.isBegun = true;
    if (block.rest.length > 0) return;
    this.queue.shift();
    if (block.told === 0) return;
    this.lostLines -= block.told;
    this.isTelling = false;
  }

  /** @returns false when it is worth trying again. Otherwise all that waits is lost: it would be refused one by one. */
  private onRefused({ code }: NodeJS.ErrnoException): boolean {
    if (code === 'EAGAIN') return false;
    for (const { rest, told } of this.queue) if (told === 0) this.lostLines += countLines(rest);
    this.isCutOff ||= this.queue[0]?.isBegun === true;
    this.isTelling = false;
    this.queue = [];
    this.queuedBytes = 0;
    return true;
  }

  private retryLater(): void {
    this.retry = setTimeout(() => {
      this.retry = undefined;
      this.pump();
    }, this.retryMs).unref();
    this.retryMs = Math.min(MAX_RETRY_MS, 2 * this.retryMs);
  }
}

/** No line is empty: a newline that comes first is the end of a line that is there already. */
function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE, 1); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}
