// npm run mutate:store: changes the store's code in one place at a time, and looks whether a test in Lua fails.
//   arguments: names of files, such as expiry.lua; --of=N tries every mutant of N, evenly spread (1: all of them);
//   --seed=N begins elsewhere; --jobs=N tries so many at a time (as many as there are processors).
// docs/mutation.md says what the score is, and which survivors do not matter.
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { inParallel, luaTests, runLuaTest, temporaryFolder } from './lua-tests.mjs';
import { fail, ROOT } from './setup.mjs';
import { mutantsOf } from './lua-mutants.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    of: { type: 'string', default: '1' },
    seed: { type: 'string', default: '0' },
    jobs: { type: 'string', default: String(availableParallelism()) },
  },
});
const jobs = Number(values.jobs);
const SOURCE = join(ROOT, 'tarantool');
const MAX_SECONDS_FOR_A_TEST = 60;

const modules = readdirSync(join(SOURCE, 'kv')).map((name) => `kv/${name}`);
const files = ['kv.lua', ...modules].filter(
  (file) => positionals.length === 0 || positionals.includes(basename(file)),
);
if (files.length === 0) fail(`no file of tarantool/kv is named ${positionals.join(', ')}`);

const all = files.flatMap((file) => mutantsOf(file, readFileSync(join(SOURCE, file), 'utf8')));
const mutants = all.filter((_, i) => i % Number(values.of) === Number(values.seed) % Number(values.of));

// The tests as they are: how long each takes, and that each passes.
const tests = luaTests().map((path) => ({
  name: basename(path),
  text: readFileSync(path, 'utf8'),
  seconds: 0,
}));
await inParallel(tests, jobs, async (test) => {
  const { passed, seconds, output } = await runLuaTest(join(SOURCE, 'test', test.name));
  if (!passed) fail(`${test.name} fails without any change:\n${output}`);
  test.seconds = seconds;
});

const survivors = [];
let done = 0;
const folders = Array.from({ length: jobs }, temporaryFolder);
await inParallel(mutants, jobs, async (mutant) => {
  const folder = folders.pop();
  cpSync(SOURCE, folder, { recursive: true });
  writeFileSync(join(folder, mutant.file), mutant.text);
  if (!(await isKilled(mutant, folder))) {
    survivors.push(mutant);
    console.log(`survived: ${mutant.file}:${mutant.line}  ${mutant.change}`);
  }
  folders.push(folder);
  if (++done % 50 === 0) console.log(`${done} of ${mutants.length} …`);
});

for (const file of files) {
  const count = (list) => list.filter((mutant) => mutant.file === file).length;
  if (count(mutants) > 0)
    console.log(`${file}: ${count(mutants) - count(survivors)} of ${count(mutants)} killed`);
}
const killed = mutants.length - survivors.length;
console.log(
  `score: ${killed} of ${mutants.length} killed, ${((100 * killed) / mutants.length).toFixed(1)} % (of ${all.length} mutants)`,
);

/** The tests that name the module come first, then all others, each from the quickest on, until one fails. */
async function isKilled({ file }, folder) {
  const name = basename(file, '.lua');
  const use = file === 'kv.lua' ? 'spawn_instance' : `'kv.${name}'`;
  const isNear = (test) => Number(test.name.startsWith(name) || test.text.includes(use));
  const inOrder = [...tests].sort((a, b) => isNear(b) - isNear(a) || a.seconds - b.seconds);
  for (const test of inOrder) {
    const timeLimitMs = 1000 * Math.min(MAX_SECONDS_FOR_A_TEST, 10 + 5 * test.seconds);
    const { passed } = await runLuaTest(join(folder, 'test', test.name), {
      timeLimitMs,
      atFirstFailure: true,
    });
    if (!passed) return true;
  }
  return false;
}
