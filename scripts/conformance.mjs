// npm run conformance: runs test suites of other projects against this service. They have dependencies of their own,
// which are installed beside them, without running their install scripts.
// Arguments are passed on to Vitest.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fail, ROOT, setUp } from './setup.mjs';

const FOLDER = join(ROOT, 'test/conformance');

setUp();
for (const [file, ...args] of [
  ['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
  [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)],
]) {
  const { status } = spawnSync(file, args, { cwd: FOLDER, stdio: 'inherit' });
  if (status !== 0) fail(`failed: ${[file, ...args].join(' ')}`);
}
