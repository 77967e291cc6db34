// npm test: sets up what is missing, then runs every test: the service's by Vitest, and beside them the store's in
// Lua.
// Arguments are passed on to Vitest. Parts of file names also choose files in Lua: npm test -- expiry
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { luaTests, reportLuaTests } from './lua-tests.mjs';
import { ROOT, setUp } from './setup.mjs';

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('-'));
const luaFiles = luaTests(names);

setUp();
// These tests mostly wait for a disk or other processes, so running them one by one takes little time from Vitest.
// Their output is held back, because Vitest uses the terminal until it ends.
const lines = [];
const luaTest = luaFiles.length > 0 ? reportLuaTests(luaFiles, 1, (line) => lines.push(line)) : true;

const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...args];
// A name that matches only files in Lua is no error.
if (names.length > 0 && luaFiles.length > 0) vitest.push('--passWithNoTests');
const [vitestCode] = await once(spawn(process.execPath, vitest, { cwd: ROOT, stdio: 'inherit' }), 'close');

const luaPassed = await luaTest;
for (const line of lines) console.log(line);
process.exitCode = vitestCode || (luaPassed ? 0 : 1);
