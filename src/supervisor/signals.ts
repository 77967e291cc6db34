import * as inspector from 'node:inspector';
import { isInspectorWanted } from '../config/is-inspector-wanted.js';

/** Signals that ask for an orderly stop: from a service manager, Ctrl-C, a terminal that is closed, and Ctrl-\. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/** Signals that would end Node at once, or open its inspector (SIGUSR1). They have no meaning for this service. */
const MEANINGLESS_SIGNALS = ['SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;

/**
 * One request to stop may arrive as several signals. npm passes on a signal that the whole process group has already
 * received (within 1 ms when measured), and systemd sends SIGHUP right after SIGTERM where SendSIGHUP= is set. A
 * person who repeats the signal takes longer than this.
 */
const SAME_REQUEST_MS = 25;

/** To be called before anything else. */
export function ignoreMeaninglessSignals(): void {
  for (const signal of MEANINGLESS_SIGNALS) process.on(signal, () => {});
  // A SIGUSR1 that arrived earlier is about to open the inspector, through which every user of the machine could run
  // code as this one.
  if (!isInspectorWanted()) setImmediate(() => inspector.close());
}

/** Calls `stop` once for each request to stop, even where the request arrives as several signals. */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let heardAt = Number.NEGATIVE_INFINITY;
  const hear = (signal: NodeJS.Signals): void => {
    if (performance.now() - heardAt < SAME_REQUEST_MS) return;
    heardAt = performance.now();
    stop(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, hear);
}
