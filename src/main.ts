import { ignoreMeaninglessSignals } from './supervisor/signals.js';

ignoreMeaninglessSignals();
// A failure of the output is no reason for the process to end.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
process.setSourceMapsEnabled(true);

// The rest takes a while to load, so it is loaded only here.
const { start } = await import('./supervisor/start.js');
await start();
