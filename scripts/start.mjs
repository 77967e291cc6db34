// npm start: sets up what is missing, and then becomes the service in this same process, so that signals reach it.
// --watch: builds and starts again at each change of the source.
import { spawn } from 'node:child_process';
import { setUp } from './setup.mjs';

setUp();
if (process.argv.includes('--watch')) {
  spawn('npx', ['nest', 'start', '--watch'], { stdio: 'inherit' }).on('exit', (code) =>
    process.exit(code ?? 1),
  );
} else {
  process.setSourceMapsEnabled(true);
  await import(new URL('../dist/main.js', import.meta.url).href);
}
