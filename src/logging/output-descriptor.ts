import { constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';

const WRITE_WITHOUT_WAITING = constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

export interface OutputDescriptor {
  readonly fd: number;
  /** Whether a write fails with EAGAIN instead of waiting for the reader. */
  readonly isNonBlocking: boolean;
}

/**
 * Opens standard output or error so that writes do not wait. A file has no such mode: only a separate thread can wait
 * for a disk. No child process may inherit this descriptor, because Node sets it back to blocking when it starts a
 * child (libuv, uv__process_child_init).
 */
export function openOutput(fd: 1 | 2): OutputDescriptor {
  if (fstatSync(fd).isFile()) return { fd, isNonBlocking: false };
  try {
    // Whether writes wait is a property of the open file, which this process shares with the shell and all that the
    // shell starts. A file that is opened anew belongs to this process alone, so the change affects no other program,
    // and no other program undoes it.
    // ours alone: nobody is surprised by what we set, and nobody takes it back.
    return { fd: openSync(`/proc/self/fd/${fd}`, WRITE_WITHOUT_WAITING), isNonBlocking: true };
  } catch {
    // A socket cannot be opened anew, and a pipe of another user perhaps not either. For pipes and sockets, Node's
    // own stream has set the shared file to non-blocking, as in each program that uses it. For a terminal it sets it
    // to blocking.
    // shared one to non-blocking, as in each program that uses it. For a terminal it does the contrary.
    const stream = fd === 1 ? process.stdout : process.stderr;
    return { fd, isNonBlocking: stream instanceof Socket && !stream.isTTY };
  }
}
