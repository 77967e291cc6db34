// Runs the store's tests in Lua: each file of tarantool/test in a process of its own.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { ROOT } from './setup.mjs';

// Ends a test that hangs, and leaves time for a machine that has other work.
const TIME_LIMIT_MS = 120_000;

const FOLDER = join(ROOT, 'tarantool/test');
/** The first process of each running test. It leads a process group of its own. */
const running = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));
/** All that the tests write is in here, because a Tarantool that is killed leaves its files. */
const TEMPORARY = mkdtempSync(join(tmpdir(), 'kv-lua-'));
process.once('exit', () => {
  running.forEach(killGroup);
  removeFolder(TEMPORARY);
});

/** @returns a folder that is removed when this process ends, if not before. */
export function temporaryFolder() {
  return mkdtempSync(join(TEMPORARY, '-'));
}

function removeFolder(folder) {
  // A process that is being killed may still write.
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

/** The test files whose names contain one of the parts, or all files where no part is given. */
export function luaTests(parts = [], folder = FOLDER) {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.test.lua'))
    .filter((name) => parts.length === 0 || parts.some((part) => name.includes(part)))
    .sort()
    .map((name) => join(folder, name));
}

/**
 * Runs one file, and never rejects. Processes that are left when the test ends or its time is up are killed.
 * @param atFirstFailure Whether the file is ended as soon as one of its assertions fails.
 * @returns whether the test passed, its output, and the seconds that it took.
 */
export async function runLuaTest(file, { timeLimitMs = TIME_LIMIT_MS, atFirstFailure = false } = {}) {
  const started = performance.now();
  const folder = temporaryFolder();
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn('tarantool', [file], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child.pid);
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
    if (atFirstFailure && /^ *not ok/m.test(output)) killGroup(child.pid);
  });
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
    child.on('close', (code) => resolve(code === 0 && isComplete(output)));
  });
  running.delete(child.pid);
  removeFolder(folder);
  clearTimeout(timer);
  return { passed, output, seconds: (performance.now() - started) / 1000 };
}

/** Whether all tests of the plan have passed. A process that ends in the middle may exit with 0 as well. */
function isComplete(output) {
  const planned = /^1\.\.(\d+)$/m.exec(output)?.[1];
  return Number(planned) === output.match(/^ok /gm)?.length;
}

/**
 * Runs files, this many at a time. Prints a line for each, and the whole output of those that failed.
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

/** Runs job(item) for each item, this many at a time. */
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
    // No process of the group is left.
  }
}
