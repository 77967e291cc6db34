// The tests of the store in Lua: each file of tarantool/test runs in a process of its own.
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from './setup.mjs';

// What ends a hang, on a machine that has other work to do as well.
const TIME_LIMIT_MS = 120_000;

const FOLDER = join(ROOT, 'tarantool/test');
/** The first process of each test that runs, which leads a group of its own. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    running.forEach(killGroup);
    process.exit(1);
  });
}
/** The test files whose names hold one of the parts; all of them where no part is given. */
export function luaTests(parts = [], folder = FOLDER) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.test.lua'))
    .filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Runs one file, and never rejects. What still runs of it when it ends, or when its time is up, is killed with it.
 * @returns whether it passed, what it wrote, and the seconds that it took.
 */
export async function runLuaTest(file, { timeLimitMs = TIME_LIMIT_MS, env = process.env } = {}) {
  const started = performance.now();
  const child = spawn('tarantool', [file], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child.pid);
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  const timer = setTimeout(() => {
    output += `\nended after ${timeLimitMs / 1000} s\n`;
    killGroup(child.pid);
  }, timeLimitMs);
  const passed = await new Promise((resolve) => {
    child.on('error', (error) => {
      output += `${error.message}\n`;
      resolve(false);
    });
    child.on('exit', () => killGroup(child.pid));
    child.on('close', (code) => resolve(code === 0));
  });
  running.delete(child.pid);
  clearTimeout(timer);
  return { passed, output, seconds: (performance.now() - started) / 1000 };
}

/**
 * Runs files, so many at once. Says a line of each, and all that those wrote which failed.
 * @returns whether all passed.
 */
export async function reportLuaTests(files, atOnce, say = console.log) {
  const failed = [];
  await inParallel(files, atOnce, async (file) => {
    const name = basename(file);
    const { passed, output, seconds } = await runLuaTest(file);
    say(`${passed ? '✓' : '✗'} ${name} ${seconds.toFixed(1)} s`);
    if (passed) return;
    say(output);
    failed.push(name);
  });
  say(`${files.length - failed.length} of ${files.length} Lua files passed`);
  for (const name of failed) say(`failed: ${name}`);
  return failed.length === 0;
}

/** Runs job(item) for each item, so many at once. */
export async function inParallel(items, count, job) {
  const left = [...items];
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await job(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

function killGroup(pid) {
  try {
    if (pid) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}
