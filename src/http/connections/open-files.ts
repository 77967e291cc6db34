import { closeSync, openSync, readFileSync } from 'node:fs';

const LIMITS = '/proc/self/limits';
const MAX_OPEN_FILES = /^Max open files +(\d+)/m;

export interface OpenFiles {
  /** The lowest number that is free: all below are taken (open(2)). */
  readonly next: number;
  /** Numbers are below it. */
  readonly limit: number;
}

/** How far this process is from its limit of open files, connections included; without a limit where none is known. */
export function openFiles(): OpenFiles {
  try {
    const file = openSync(LIMITS, 'r');
    const limit = MAX_OPEN_FILES.exec(readFileSync(file, 'latin1'))?.[1];
    closeSync(file);
    return { next: file, limit: limit === undefined ? Infinity : Number(limit) };
  } catch (error) {
    // None is left, to the process or to the system. Elsewhere than on Linux there is no such file.
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EMFILE' || code === 'ENFILE' ? { next: 0, limit: 0 } : { next: 0, limit: Infinity };
  }
}
