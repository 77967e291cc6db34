import { fstatSync } from 'node:fs';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogConfig } from '../config/config.js';
import { LineBuffer } from './line-buffer.js';

export type Logger = pino.Logger;

/** Injection token of the process's one logger. */
export const LOGGER = Symbol('LOGGER');

/**
 * Lines are gathered and written together. On a pipe a write stays below PIPE_BUF (4096 on Linux, pipe(7)), so that the lines of
 * several workers never mix; elsewhere fewer and larger writes cost less.
 */
const PIPE_BLOCK_LENGTH = 4096;
const BLOCK_LENGTH = 32_768;
const FLUSH_MS = 200;
/** What waits for a standard output that takes nothing, in bytes; what comes after is lost, and that is said. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** Structured log on standard output. Never holds a value, a password or a key. */
export function createLogger({ level, format }: LogConfig, name: string): Logger {
  const options = { level, base: { process: name } };
  if (format === 'pretty')
    return pino(options, pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }));

  const maxLength = fstatSync(1).isFIFO() ? PIPE_BLOCK_LENGTH : BLOCK_LENGTH;
  const destination = pino.destination({
    fd: 1,
    sync: false,
    // What is written is written at once, by flush(): with these it never goes by itself, and no two blocks go together.
    minLength: maxLength,
    maxWrite: maxLength + 1,
    maxLength: MAX_WAITING_BYTES,
  });
  const write = (block: string): void => {
    destination.write(block);
    destination.flush();
  };
  // In front of the destination, which gathers as well, but measures all that it holds at each line.
  const lines = new LineBuffer({ write }, maxLength);
  const logger = pino(options, lines);

  let lostBlocks = 0;
  destination.on('drop', () => lostBlocks++);
  setInterval(() => {
    lines.flush();
    if (lostBlocks === 0) return;
    logger.warn({ lostBlocks }, 'log lines were lost: standard output does not take them');
    lostBlocks = 0;
  }, FLUSH_MS).unref();
  process.on('exit', () => {
    // No write that is begun now would be carried out.
    destination.flushSync();
    destination.write(lines.take());
    destination.flushSync();
  });
  return logger;
}
