import { write, writeSync } from 'node:fs';
import type { OutputDescriptor } from './output-descriptor.js';

const FIRST_RETRY_MS = 1;
const MAX_RETRY_MS = 100;
/** How long the process, when it ends, waits for an output that accepts nothing at the moment. */
const DRAIN_MS = 250;
const DRAIN_STEP_MS = 5;
const NEWLINE = 10;

interface Block {
  /** The bytes of the block that are not written yet. */
  rest: Buffer;
  isBegun: boolean;
  /** How many lost lines the block reports. 0 for an ordinary block. */
  readonly told: number;
}

/**
 * Writes blocks of whole lines to an output that other programs may share. It never throws and never waits. Blocks
 * that the output does not accept at the moment are kept, up to a limit. Blocks that it refuses are lost, and their
 * lines are counted.
 */
export class LogOutput {
  /** Lost lines that have not been reported yet. */
  lostLines = 0;

  private queue: Block[] = [];
  private queuedBytes = 0;
  private retry: NodeJS.Timeout | undefined;
  private retryMs = FIRST_RETRY_MS;
  private isTelling = false;
  /** The last bytes written are a part of a line whose rest was lost. */
  private isCutOff = false;
  /** When a thread of libuv's pool began to write, in ms. Undefined where none is writing. */
  private writingSince: number | undefined;

  constructor(
    private readonly output: OutputDescriptor,
    private readonly maxQueuedBytes: number,
    /** Turns a block into what is written. */
    private readonly render = (block: string): string => block,
  ) {}

  write(block: string): void {
    const bytes = Buffer.from(this.render(block));
    if (this.queuedBytes + bytes.length > this.maxQueuedBytes) this.lostLines += countLines(bytes);
    else this.enqueue(bytes, 0);
  }

  /**
   * Writes a line that reports lost lines. They count as reported when that line has been written, not when it is
   * lost as well.
   */
  tell(line: string): void {
    if (this.isTelling) return;
    this.isTelling = true;
    this.enqueue(Buffer.from(this.render(line)), this.lostLines);
  }

  /**
   * For the end of the process, when callbacks are no longer called: writes what is left, if that is possible soon.
   */
  drain(): void {
    const now = performance.now();
    if (this.writingSince !== undefined) {
      // Node waits for its threads before it ends. It would wait for ever for a thread that hangs in a write to a
      // dead disk.
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

  /** @returns false when the output accepts nothing at the moment. */
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

  /**
   * @returns false when it is worth trying again. Otherwise all waiting blocks are lost, because they would be
   * refused one by one.
   */
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

/** A newline that comes first ends a line that was written before, so it is not counted as a line. */
function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE, 1); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
}
