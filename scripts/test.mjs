// npm test: sets up what is missing, then runs every test: the service's by Vitest, and the store's in Lua beside it.
//   arguments are handed on to Vitest; those that are parts of names choose files in Lua as well: npm test -- expiry
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { luaTests, reportLuaTests } from './lua-tests.mjs';
import { ROOT, setUp } from './setup.mjs';

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('-'));
const luaFiles = luaTests(names);

setUp();
// They mostly wait, for a disk or for other processes, so one after the other takes no core from Vitest. Vitest owns the terminal until it ends.
const lines = [];
const luaTest = luaFiles.length > 0 ? reportLuaTests(luaFiles, 1, (line) => lines.push(line)) : true;

const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...args];
// A name that only files in Lua have is no mistake.
if (names.length > 0 && luaFiles.length > 0) vitest.push('--passWithNoTests');
const [vitestCode] = await once(spawn(process.execPath, vitest, { cwd: ROOT, stdio: 'inherit' }), 'close');

const luaPassed = await luaTest;
for (const line of lines) console.log(line);
process.exitCode = vitestCode || (luaPassed ? 0 : 1);
