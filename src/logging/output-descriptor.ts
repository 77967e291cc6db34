import { constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';

const WRITE_WITHOUT_WAITING = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface OutputDescriptor {
  readonly fd: number;
  /** A write fails with EAGAIN where it would otherwise wait for the reader. */
  readonly isNonBlocking: boolean;
}

/**
 * Standard output or error, in a form whose writes wait for nobody. A file has none: only a thread of its own can wait for a disk.
 * No child may inherit what this is used for: Node makes it blocking again when it starts one (libuv, uv__process_child_init).
 */
export function openOutput(fd: 1 | 2): OutputDescriptor {
  if (fstatSync(fd).isFile()) return { fd, isNonBlocking: false };
  try {
    // Whether writes wait is a property of the open file, which we share with the shell and all that it starts. Opened anew, it is
    // ours alone: nobody is surprised by what we set, and nobody takes it back.
    return { fd: openSync(`/proc/self/fd/${fd}`, WRITE_WITHOUT_WAITING), isNonBlocking: true };
  } catch {
    // A socket cannot be opened anew, and the pipe of another user may not be. Node's own stream for pipes and sockets has set the
    // shared one to non-blocking, as in each program that uses it. For a terminal it does the contrary.
    const stream = fd === 1 ? process.stdout : process.stderr;
    return { fd, isNonBlocking: stream instanceof Socket && !stream.isTTY };
  }
}
