import fs, { closeSync, openSync, readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openFiles } from './open-files.js';

describe.runIf(process.platform === 'linux')('the open files of this process', () => {
  it('are told by the next free descriptor and the limit', () => {
    const next = openSync('/dev/null', 'r');
    closeSync(next);
    const soft = /^Max open files +(\S+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1];
    expect(openFiles()).toEqual({ next, limit: Number(soft) });
    const taken = openSync('/dev/null', 'r');
    expect(openFiles().next).toBeGreaterThan(next);
    closeSync(taken);
    expect(openFiles().next).toBe(next);
  });
});

describe('open files that the system does not tell', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  it.each([
    ['EMFILE', 0],
    ['ENFILE', 0],
    ['ENOENT', Infinity],
  ])('are as many as there may be, or have no limit: %s, %d', (code, limit) => {
    // A whole system without descriptors, or another system than Linux, cannot be had here.
    vi.spyOn(fs, 'openSync').mockImplementation(() => {
      throw Object.assign(new Error('open failed'), { code });
    });
    syncBuiltinESMExports();
    expect(openFiles()).toEqual({ next: 0, limit });
  });
});
