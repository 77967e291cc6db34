import * as inspector from 'node:inspector';

/** What asks for an orderly stop: a service manager, Ctrl-C, a terminal that is closed, Ctrl-\. */
const STOP_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const;

/** What would end Node at once, or open its inspector (SIGUSR1). None of it has a meaning for us. */
const MEANINGLESS_SIGNALS = ['SIGUSR1', 'SIGUSR2', 'SIGALRM'] as const;

/** To be called first of all. */
export function ignoreMeaninglessSignals(): void {
  for (const signal of MEANINGLESS_SIGNALS) process.on(signal, () => {});
  // A SIGUSR1 that came before us is about to open the inspector, by which every user of the machine could run code as this one.
  if (!isInspectorWanted()) setImmediate(() => inspector.close());
}

export function onStopSignal(stop: (signal: NodeJS.Signals) => void): void {
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
}

function isInspectorWanted(): boolean {
  const options = [...process.execArgv, process.env['NODE_OPTIONS']].join(' ');
  return /--inspect(-brk|-wait)?([= ]|$)/.test(options);
}
