// What a reader has to know about the machine that was measured, and nothing that identifies its owner.
import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isInstalled, newFolder, outputOf } from './processes.mjs';
import { median } from './statistics.mjs';

const FSYNCS = 100;
const SAMPLE_MS = 1000;
const BLOCK = Buffer.alloc(4096);

/** @returns names and texts */
export function describeMachine() {
  return [
    ['processor', `${cpus()[0].model.trim()}, ${availableParallelism()} cores`],
    ['memory', `${(totalmem() / 2 ** 30).toFixed(0)} GiB`],
    ['system', `${type()} ${release()}`],
    [
      'disk',
      `${fileSystem()}, a write of 4 KiB and its fsync take ${median([...fsyncTimes()]).toFixed(2)} ms`,
    ],
    ['Node', process.versions.node],
    ['Tarantool', version('tarantool', /Tarantool (\S+)/)],
    ['etcd', version('etcd', /etcd Version: (\S+)/)],
    ['Redis', version('redis-server', /v=(\S+)/)],
    // webdis has no option that prints its version: it would start.
    ['webdis', version('webdis', /^(\d[\d.]*)/, ['dpkg-query', '-W', '-f', '${Version}', 'webdis'])],
    ['wrk', version('wrk', /wrk \D*([\d.]+)/)],
  ];
}

function version(command, pattern, question = [command, '--version']) {
  if (!isInstalled(command)) return 'absent';
  return pattern.exec(outputOf(...question))?.[1] ?? 'of unknown version';
}

/** To be called while no contestant runs. @returns how many cores are busy */
export async function busyCores() {
  const before = cpuTimes();
  await sleep(SAMPLE_MS);
  const after = cpuTimes();
  return (availableParallelism() * (after.busy - before.busy)) / Math.max(1, after.all - before.all);
}

function cpuTimes() {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  const idle = times.reduce((sum, time) => sum + time.idle, 0);
  return { all, busy: all - idle };
}

function fileSystem() {
  return outputOf('stat', '-f', '-c', '%T', tmpdir()).trim().split('\n')[0] || 'unknown file system';
}

function* fsyncTimes() {
  const file = openSync(join(newFolder(), 'fsync'), 'w');
  for (let i = 0; i < FSYNCS; i++) {
    const startedAt = performance.now();
    writeSync(file, BLOCK);
    fsyncSync(file);
    yield performance.now() - startedAt;
  }
  closeSync(file);
}
