// What Linux tells about a process and its children. Elsewhere there is none of it.
import { existsSync, readFileSync } from 'node:fs';

export const isAvailable = existsSync('/proc/self/status');

/** @returns bytes: resident now, and at most so far. */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
  return { resident: bytes('VmRSS'), peak: bytes('VmHWM') };
}

/** @returns clock ticks of CPU that it has used, in 1/100 s */
export function ticksOf(pid) {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ').slice(11, 13);
  return Number(user) + Number(system);
}

/** @returns `{ pid, command }` of each that has not ended */
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
