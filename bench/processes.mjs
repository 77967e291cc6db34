// Starts the programs that are measured, and leaves neither a process nor a file behind.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from './proc.mjs';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 15_000;
const POLL_MS = 30;

/** Below the ports that systems give to clients, of which a run uses thousands. */
const PORTS = { from: 20_000, to: 32_000 };

const children = new Set();
let folder;
let folders = 0;
/** From then on, failures are only consequences of the stop. */
export let isStopping = false;

for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 })) {
  process.on(signal, () => {
    // At the second signal, all programs are killed at once, on exit.
    if (isStopping) process.exit(code);
    process.stderr.write('\nstopping …\n');
    void stopAll().finally(() => process.exit(code));
  });
}

export const isInstalled = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

/** The output of a program about its version, or nothing. */
export function outputOf(command, ...args) {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return `${stdout ?? ''}${stderr ?? ''}`;
}

/**
 * Starts a server in a folder of its own, which also receives its output, and waits until `isReady` resolves to true.
 * @throws an error with the output when the server does not become ready
 */
export async function start(command, args, { env = {}, isReady, folder: cwd = newFolder() }) {
  const output = join(cwd, 'output.log');
  const log = openSync(output, 'a');
  const child = launch(command, args, {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await isReady().catch(() => false))) {
    if (isStopping) throw new Error('stopped');
    if (hasEnded(child) || Date.now() > deadline) {
      throw new Error(`${command} did not start:\n${readFileSync(output, 'utf8').slice(-4000)}`);
    }
    await sleep(POLL_MS);
  }
  return {
    pid: child.pid,
    stop: async () => {
      await stop(child);
      rmSync(cwd, { recursive: true, force: true });
    },
  };
}

/**
 * Starts a child in a process group of its own, so that an interrupt from the terminal reaches it only through this
 * program.
 */
export function launch(command, args, options) {
  if (isStopping) throw new Error('stopped');
  const child = spawn(command, args.map(String), { ...options, detached: true });
  children.add(child);
  child.once('close', () => children.delete(child));
  child.once('error', () => children.delete(child));
  return child;
}

export async function stopAll() {
  isStopping = true;
  await Promise.all([...children].map(stop));
}

/** Cleans up however the program ends, without waiting. */
process.on('exit', () => {
  for (const child of children) kill(child);
  // A process that was just killed may still write.
  if (folder) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
});

export function newFolder() {
  folder ??= mkdtempSync(join(tmpdir(), 'kv-bench-'));
  const path = join(folder, String(folders++));
  mkdirSync(path);
  return path;
}

export async function freePort() {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening');
    } catch {
      continue;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

async function stop(child) {
  if (hasEnded(child) || child.pid === undefined) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const timer = setTimeout(() => kill(child), STOP_TIMEOUT_MS);
  await closed;
  clearTimeout(timer);
}

/** Kills a program and its children. Tarantool leads a process group of its own. */
function kill(child) {
  for (const id of [-child.pid, ...childrenOf(child.pid).map(({ pid }) => pid)]) {
    try {
      process.kill(id, 'SIGKILL');
    } catch {
      // It has already ended.
    }
  }
}

function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null;
}
