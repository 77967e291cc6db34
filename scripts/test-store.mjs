// npm run test:store: runs only the store's tests in Lua.
// Arguments are parts of the names of the files to run: npm run test:store -- expiry revision
import { availableParallelism } from 'node:os';
import { luaTests, reportLuaTests } from './lua-tests.mjs';
import { ensureCommands, fail } from './setup.mjs';

const parts = process.argv.slice(2);
const files = luaTests(parts);
if (files.length === 0) fail(`no file of tarantool/test has one of these in its name: ${parts.join(', ')}`);

ensureCommands('tarantool');
process.exitCode = (await reportLuaTests(files, availableParallelism())) ? 0 : 1;
