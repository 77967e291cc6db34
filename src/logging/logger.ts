import { fstatSync } from 'node:fs';
import { pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogConfig } from '../config/config.js';

export type Logger = pino.Logger;

/** Injection token of the process's one logger. */
export const LOGGER = Symbol('LOGGER');

/**
 * Lines are gathered and written together, and a write holds whole lines. On a pipe it stays below PIPE_BUF (4096 on Linux,
 * pipe(7)), so that the lines of several workers never mix; elsewhere fewer and larger writes cost less.
 */
const PIPE_WRITE_BYTES = 4096;
const WRITE_BYTES = 32_768;
const FLUSH_MS = 200;

/** Structured log on standard output. Never holds a value, a password or a key. */
export function createLogger({ level, format }: LogConfig, name: string): Logger {
  const options = { level, base: { process: name } };
  if (format === 'pretty')
    return pino(options, pretty({ sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }));

  const maxWrite = fstatSync(1).isFIFO() ? PIPE_WRITE_BYTES : WRITE_BYTES;
  const destination = pino.destination({ fd: 1, sync: false, minLength: maxWrite - 1, maxWrite });
  setInterval(() => destination.flush(), FLUSH_MS).unref();
  process.on('exit', () => destination.flushSync());
  return pino(options, destination);
}
