import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogOutput } from './log-output.js';

const LINE = `${'x'.repeat(99)}\n`;
/** A pipe's buffer: pipe(7). */
const PIPE_BYTES = 65_536;

let folder: string;
let fds: number[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kv-log-'));
  fds = [];
});
afterEach(() => {
  for (const fd of fds) closeSync(fd);
  rmSync(folder, { recursive: true });
});

function open(path: string, flags: number): number {
  const fd = openSync(path, flags);
  fds.push(fd);
  return fd;
}

/** The two ends of a pipe. Neither end waits. */
function openPipe(): { readFd: number; writeFd: number } {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const readFd = open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { readFd, writeFd: open(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

function readAll(fd: number): string {
  const buffer = Buffer.alloc(2 * PIPE_BYTES);
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer));
  } catch {
    return '';
  }
}

describe('a pipe that takes nothing', () => {
  it('gets what waits as soon as it takes something again', async () => {
    const { readFd, writeFd } = openPipe();
    const output = new LogOutput({ fd: writeFd, isNonBlocking: true }, 10 * PIPE_BYTES);
    const lines = Math.ceil((2 * PIPE_BYTES) / LINE.length);
    for (let i = 0; i < lines; i++) output.write(LINE);
    let text = '';
    await expect.poll(() => (text += readAll(readFd)).length, { interval: 1 }).toBe(lines * LINE.length);
    expect(text).toBe(LINE.repeat(lines));
    expect(output.lostLines).toBe(0);
  });

  // Holds limit.log-memory.
  it('loses what is too much to wait, and is told how many lines once it takes something again', async () => {
    const { readFd, writeFd } = openPipe();
    const output = new LogOutput({ fd: writeFd, isNonBlocking: true }, 10 * LINE.length);
    const lines = Math.ceil((2 * PIPE_BYTES) / LINE.length);
    for (let i = 0; i < lines; i++) output.write(LINE);
    const { lostLines } = output;
    expect(lostLines).toBeGreaterThan(0);

    output.tell(`lost ${lostLines}\n`);
    output.tell('not while it is being told\n');
    expect(output.lostLines).toBe(lostLines);
    let text = '';
    await expect.poll(() => (text += readAll(readFd)), { interval: 1 }).toContain('lost');
    expect(text).toBe(`${LINE.repeat(lines - lostLines)}lost ${lostLines}\n`);
    expect(output.lostLines).toBe(0);
  });

  it('holds up the end of the process for a moment only', () => {
    const { readFd, writeFd } = openPipe();
    const output = new LogOutput({ fd: writeFd, isNonBlocking: true }, 10 * PIPE_BYTES);
    output.write(LINE.repeat((2 * PIPE_BYTES) / LINE.length));
    output.drain();
    expect(readAll(readFd)).toHaveLength(PIPE_BYTES);
  });
});

describe.each([
  ['a pipe without a reader', true],
  ['a pipe without a reader, by a thread', false],
])('%s', (_title, isNonBlocking) => {
  it('loses all lines, counts each once, and counts no line that tells of them', async () => {
    const { readFd, writeFd } = openPipe();
    closeSync(readFd);
    fds.splice(fds.indexOf(readFd), 1);
    const output = new LogOutput({ fd: writeFd, isNonBlocking }, PIPE_BYTES);
    output.write(LINE.repeat(3));
    output.write(LINE);
    await expect.poll(() => output.lostLines).toBe(4);
    output.tell('lost 4\n');
    output.write(LINE);
    await expect.poll(() => output.lostLines).toBe(5);
    output.drain();
  });
});

it('a file gets all lines in order, with those that wait at the end of the process', () => {
  const path = join(folder, 'log');
  const fd = open(path, constants.O_WRONLY | constants.O_CREAT);
  const output = new LogOutput({ fd, isNonBlocking: false }, PIPE_BYTES);
  output.write('b\n');
  output.write('c\n');
  output.drain();
  return expect.poll(() => readFileSync(path, 'latin1').split('\n').toSorted().join('')).toBe('bc');
});

it('a line that is cut off where others are lost ends before the next one begins', async () => {
  const { readFd, writeFd } = openPipe();
  const output = new LogOutput({ fd: writeFd, isNonBlocking: true }, 3 * PIPE_BYTES);
  output.write(`${'y'.repeat(PIPE_BYTES + 100)}\n`);
  const cutOff = readAll(readFd);
  expect(cutOff).toBe('y'.repeat(PIPE_BYTES));
  closeSync(readFd);
  fds.splice(fds.indexOf(readFd), 1);
  await expect.poll(() => output.lostLines).toBe(1);

  const again = open(join(folder, 'pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
  output.write(LINE);
  output.write(LINE);
  expect(readAll(again)).toBe(`\n${LINE}${LINE}`);
});
