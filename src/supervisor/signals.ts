import * as inspector from 'node:inspector';
import { isInspectorWanted } from '../config/is-inspector-wanted.js';

/** What asks for an orderly stop: a service manager, Ctrl-C, a terminal that is closed, Ctrl-\. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/** What would end Node at once, or open its inspector (SIGUSR1). None of it has a meaning for us. */
const MEANINGLESS_SIGNALS = ['SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;

/**
 * One request to stop may arrive as several signals. npm hands on what the whole process group got already (within 1 ms here), and
 * systemd sends SIGHUP right after SIGTERM where SendSIGHUP= is set. Nobody who means a second one sends it this soon.
 */
const SAME_REQUEST_MS = 25;

/** To be called first of all. */
export function ignoreMeaninglessSignals(): void {
  for (const signal of MEANINGLESS_SIGNALS) process.on(signal, () => {});
  // A SIGUSR1 that came before us is about to open the inspector, by which every user of the machine could run code as this one.
  if (!isInspectorWanted()) setImmediate(() => inspector.close());
}

/** Calls `stop` for each request to stop, however many signals it comes by. */
export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  let heardAt = Number.NEGATIVE_INFINITY;
  const hear = (signal: NodeJS.Signals): void => {
    if (performance.now() - heardAt < SAME_REQUEST_MS) return;
    heardAt = performance.now();
    stop(signal);
  };
  for (const signal of STOP_SIGNALS) process.on(signal, hear);
}
