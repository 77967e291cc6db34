import { ignoreMeaninglessSignals } from './supervisor/signals.js';

ignoreMeaninglessSignals();
// What becomes of our output is no reason to end.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
process.setSourceMapsEnabled(true);

// The rest takes a while to load: only now.
const { start } = await import('./supervisor/start.js');
await start();
