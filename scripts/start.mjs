// npm start: sets up what is missing, then is the service itself, in this same process, so that a signal to it reaches it.
//   --watch: build and start again at each change of the source.
import { spawn } from 'node:child_process';
import { setUp } from './setup.mjs';

setUp();
if (process.argv.includes('--watch')) {
  spawn('npx', ['nest', 'start', '--watch'], { stdio: 'inherit' }).on('exit', (code) =>
    process.exit(code ?? 1),
  );
} else {
  process.setSourceMapsEnabled(true);
  await import('../dist/main.js');
}
