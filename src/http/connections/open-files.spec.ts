import { closeSync, openSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
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
