// npm test: sets up what is missing, then runs every test: the store's in Lua, then the service's.
//   arguments are handed on to Vitest.
import { spawnSync } from 'node:child_process';
import { ROOT, setUp } from './setup.mjs';

setUp();
for (const [file, ...args] of [
  ['tarantool', 'tarantool/test/run.lua'],
  [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)],
]) {
  const { status } = spawnSync(file, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
