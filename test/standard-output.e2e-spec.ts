import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { answersIn, exchange, message } from './support/raw.js';
import { isAlive, ServiceProcess } from './support/service-process.js';

/** Together their lines are more than a pipe, a socket or a terminal holds. */
const REQUESTS = 1200;
const CONNECTIONS = 20;
const REQUEST_ID = 'x'.repeat(128);

const folder = mkdtempSync(join(tmpdir(), 'kv-output-'));
const small = join(folder, 'small');
mkdirSync(small);
// A file system of a few KiB needs the right to mount one: root on Linux, not in every container.
const canMount = ((): boolean => {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

const readers: ChildProcess[] = [];
let service: ServiceProcess;
afterEach(async () => {
  for (const reader of readers.splice(0)) reader.kill('SIGKILL');
  await service.remove();
});
afterAll(() => {
  // Lazily: a service that a failed test has left behind may still hold its file.
  if (canMount) execFileSync('umount', ['--lazy', small]);
  rmSync(folder, { recursive: true });
});

/** Something that takes what is written to it, until its reader is stopped, or killed. */
interface Destination {
  stdout: ServiceProcess['output']['stdout'];
  reader?: ChildProcess;
}

function read(command: string, args: string[], stdin: 'pipe' | 'ignore' | number): ChildProcess {
  const reader = spawn(command, args, { stdio: [stdin, 'ignore', 'ignore'] });
  readers.push(reader);
  return reader;
}

/** In the sense of pipe(7). */
function pipe(): Destination {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const both = openSync(path, 'r+');
  const [readFd, stdout] = [openSync(path, 'r'), openSync(path, 'w')];
  const reader = read('cat', [], readFd);
  for (const fd of [both, readFd]) closeSync(fd);
  rmSync(path);
  return { stdout, reader };
}

/** What Node makes where it is asked for a pipe, and what systemd gives to a service. */
function socket(): Destination {
  const reader = read('cat', [], 'pipe');
  if (!reader.stdin) throw new Error('no socket');
  return { stdout: reader.stdin, reader };
}

/** `script` holds its other end, and is what a terminal's window is otherwise. */
async function terminal(): Promise<Destination> {
  const path = join(folder, 'tty');
  const reader = read('script', ['-qec', `tty > ${path}; exec sleep 600`, '/dev/null'], 'ignore');
  const name = (): string => {
    try {
      return readFileSync(path, 'utf8').trim();
    } catch {
      return '';
    }
  };
  await expect.poll(name).not.toBe('');
  return { stdout: openSync(name(), 'w'), reader };
}

function file(path: string): Destination {
  return { stdout: openSync(path, 'w') };
}

async function start(
  { stdout, reader }: Destination,
  {
    signal,
    ...environment
  }: { signal?: NodeJS.Signals | undefined; WORKERS?: string; LOG_FORMAT?: string } = {},
): Promise<void> {
  service = await ServiceProcess.create(environment);
  service.output.stdout = stdout;
  if (stdout === 'closed') service.output.stderr = stdout;
  await service.startUnheard();
  if (typeof stdout === 'number') closeSync(stdout);
  else if (typeof stdout !== 'string') stdout.destroy();
  if (!reader || !signal) return;
  const exit = once(reader, 'exit');
  reader.kill(signal);
  if (signal === 'SIGKILL') await exit;
}

/** The statuses of many requests, with how often each came. */
async function askMuch(): Promise<Record<number, number>> {
  const requests = message('GET /kv/nothing', undefined, `X-Request-Id: ${REQUEST_ID}\r\n`);
  const ask = (): Promise<string> => exchange(service.url, requests.repeat(REQUESTS / CONNECTIONS));
  const received = await Promise.all(Array.from({ length: CONNECTIONS }, ask));
  const statuses: Record<number, number> = {};
  for (const { status } of received.flatMap(answersIn)) statuses[status] = (statuses[status] ?? 0) + 1;
  return statuses;
}

type Case = [
  string,
  () => Destination | Promise<Destination>,
  { workers?: '1'; format?: 'pretty'; reader?: NodeJS.Signals; end?: NodeJS.Signals },
];

describe('requests are answered, and no process outlives the first one, when standard output is', () => {
  it.each<Case>([
    ['a device that is full', () => file('/dev/full'), {}],
    ['closed, as is standard error', () => ({ stdout: 'closed' }), {}],
    ['a pipe whose reader has ended', pipe, { reader: 'SIGKILL', workers: '1' }],
    ['a pipe whose reader has stopped', pipe, { reader: 'SIGSTOP', end: 'SIGKILL' }],
    [
      'a pipe whose reader has stopped, for people',
      pipe,
      { reader: 'SIGSTOP', format: 'pretty', workers: '1' },
    ],
    ['a socket whose reader has stopped', socket, { reader: 'SIGSTOP', workers: '1' }],
    ['a terminal that has stopped', terminal, { reader: 'SIGSTOP', format: 'pretty' }],
  ])('%s', async (_title, create, { workers = '2', format = 'json', reader, end = 'SIGTERM' }) => {
    await start(await create(), { signal: reader, WORKERS: workers, LOG_FORMAT: format });
    expect(await askMuch()).toEqual({ 404: REQUESTS });
    const pids = service.pids;
    expect(pids).toHaveLength(workers === '2' ? 4 : 2);
    expect(await service.signal(end)).toBe(end === 'SIGTERM' ? 0 : null);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });
});

it('what cannot start ends with exit code 1 when standard error takes nothing', async () => {
  service = await ServiceProcess.create({ PORT: 'x' });
  service.output.stderr = openSync('/dev/full', 'w');
  expect(await service.runToEnd()).toEqual({ code: 1, stderr: '' });
});

it.skipIf(!canMount)(
  'a full disk loses lines, and the log tells how many when there is room again',
  async () => {
    const path = join(small, 'log');
    await start(file(path), { WORKERS: '1' });
    const ballast = join(small, 'ballast');
    expect(() => writeFileSync(ballast, Buffer.alloc(65_536))).toThrow('ENOSPC');
    expect(await askMuch()).toEqual({ 404: REQUESTS });

    rmSync(ballast);
    const lines = (): { msg: string; lostLines: number }[] =>
      readFileSync(path, 'utf8')
        .split('\n')
        // The disk may have been full in the middle of a line.
        .filter((line) => line.endsWith('}'))
        .map((line) => JSON.parse(line) as { msg: string; lostLines: number });
    const told = (): number =>
      lines()
        .filter(({ msg }) => msg.startsWith('log lines were lost'))
        .reduce((sum, line) => sum + line.lostLines, 0);
    const written = (): number => lines().filter(({ msg }) => msg === 'request').length;
    await expect.poll(() => written() + told()).toBeGreaterThanOrEqual(REQUESTS);
    expect(told()).toBeGreaterThan(0);
    expect(await service.signal('SIGTERM')).toBe(0);
  },
);
