// Data that Linux provides about a process and its children. Other systems do not provide it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

export const isAvailable = existsSync('/proc/self/status');

/** @returns bytes of resident memory: now, and at its maximum so far */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') };
}

/** The maximum of `memoryOf` begins again at what is resident now (proc(5), clear_refs). */
export function forgetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/**
 * Gives the session of a process the lowest priority. With the autogroup feature, which most systems have on, Linux shares
 * the processors out among sessions, and nice(2) says nothing beyond its own session (sched(7)).
 */
export function yieldToOtherSessions(pid) {
  const file = `/proc/${pid}/autogroup`;
  if (existsSync(file)) writeFileSync(file, '19');
}

/** @returns the clock ticks of CPU time that the process has used, in 1/100 s */
export function ticksOf(pid) {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13);
  return Number(user) + Number(system);
}

/** @returns `{ pid, command }` of each child that has not ended */
export function childrenOf(pid) {
  return read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter(Boolean)
    .map((child) => ({ pid: Number(child), command: read(`/proc/${child}/comm`).trim() }))
    .filter(({ command }) => command !== '');
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
