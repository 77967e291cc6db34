import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogConfig } from '../config/config.js';
import { LineBuffer } from './line-buffer.js';
import { LogOutput } from './log-output.js';
import type { Logger } from './logger.js';
import { openOutput } from './output-descriptor.js';

/** Lines are gathered into blocks of this length, because fewer and larger writes cost less. */
const BLOCK_LENGTH = 32 * 1024;
const FLUSH_MS = 200;
/** How many bytes wait for an output that accepts nothing. Further lines are lost, and the log says how many. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** The log of a process on its standard output. A failure of the output concerns nothing else. */
export interface Log {
  readonly logger: Logger;
  /** Takes whole lines of JSON that another process has logged. */
  readonly output: { write(block: string): void };
}

export function openLog({ level, format }: LogConfig, name: string): Log {
  const output = new LogOutput(openOutput(1), MAX_WAITING_BYTES, format === 'pretty' ? forPeople : undefined);
  const lines = new LineBuffer(output, BLOCK_LENGTH);
  const base = { process: name };
  const ofLosses = pino({ base }, { write: (line: string) => output.tell(line) });
  setInterval(() => {
    lines.flush();
    const { lostLines } = output;
    if (lostLines > 0) ofLosses.warn({ lostLines }, 'log lines were lost: standard output did not take them');
  }, FLUSH_MS).unref();
  process.on('exit', () => {
    lines.flush();
    output.drain();
  });
  return { logger: pino({ level, base }, lines), output };
}

const renderLine = prettyFactory({ ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' });

function forPeople(block: string): string {
  return block.split('\n').filter(Boolean).map(renderLine).join('');
}
