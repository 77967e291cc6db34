import { closeSync, openSync, readFileSync } from 'node:fs';

const LIMITS = '/proc/self/limits';
const MAX_OPEN_FILES = /^Max open files +(\d+)/m;

export interface OpenFiles {
  /** The lowest free descriptor: all lower numbers are taken (open(2)). */
  readonly next: number;
  /** Every descriptor is below this number. */
  readonly limit: number;
}

/**
 * How close this process is to its limit of open files, connections included. Without a known limit there is none.
 */
export function openFiles(): OpenFiles {
  try {
    const file = openSync(LIMITS, 'r');
    const limit = MAX_OPEN_FILES.exec(readFileSync(file, 'latin1'))?.[1];
    closeSync(file);
    return { next: file, limit: limit === undefined ? Infinity : Number(limit) };
  } catch (error) {
    // The process or the system has no descriptor left. On systems other than Linux this file does not exist.
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENFILE' ? { next: 0, limit: 0 } : { next: 0, limit: Infinity };
  }
}
