// npm run bench: builds, measures, and writes the results to docs/performance/. options.mjs describes its options.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ROOT, setUp } from '../scripts/setup.mjs';
import { chartOf } from './chart.mjs';
import { Fleet } from './fleet.mjs';
import { measureLatency } from './latency.mjs';
import { busyCores, describeMachine } from './machine.mjs';
import { markdownOf } from './markdown.mjs';
import { measureMemory } from './memory.mjs';
import { parseOptions, USAGE } from './options.mjs';
import { isInstalled, isStopping, stopAll } from './processes.mjs';
import { Progress } from './progress.mjs';
import { measureThroughput } from './throughput.mjs';
import { workloadsOf } from './workloads.mjs';

const FOLDER = join(ROOT, 'docs', 'performance');
const MEASURE = { throughput: measureThroughput, latency: measureLatency, memory: measureMemory };
/** If other programs keep more cores busy than this, the user is told. */
const NOISE_CORES = 0.2;

const options = optionsOrFail();
const workloads = workloadsOf(options).filter(
  ({ name }) => options.only.length === 0 || options.only.some((start) => name.startsWith(start)),
);
if (options.help) end(USAGE);
if (options.list) end(workloads.map(({ name, title }) => `${name.padEnd(12)} ${title}`).join('\n'));
if (workloads.length === 0) fail(`no workload is called ${options.only.join(' or ')}: see --list`);
if (!isInstalled('wrk')) fail('wrk is missing: install it (Debian, Ubuntu: sudo apt-get install wrk)');

setUp();

const machine = describeMachine();
const busyBefore = await busyCores();
if (busyBefore > NOISE_CORES) {
  process.stderr.write(`others keep ${busyBefore.toFixed(1)} cores busy: expect noise\n`);
}
const skipped = skipMissing();
const results = await runAll();
const busyAfter = await busyCores();
await report();

async function runAll() {
  const fleet = new Fleet(options);
  const progress = new Progress(workloads.length);
  const done = [];
  try {
    for (const [i, workload] of workloads.entries()) {
      progress.next();
      done.push(await measure(workload, fleet, progress));
      await fleet.stopAllBut(new Set(workloads.slice(i + 1).flatMap(({ contestants }) => contestants)));
    }
  } finally {
    progress.end();
    await stopAll();
  }
  return done;
}

/** A failure does not end the run. Its workload has no numbers in the results, and the run fails at its end. */
async function measure(workload, fleet, progress) {
  try {
    const instances = new Map();
    for (const contestant of workload.contestants) {
      progress.show(workload, `${contestant.name}: starting, loading, warming up`);
      instances.set(contestant, await fleet.ready(contestant, workload.traffic));
    }
    return await MEASURE[workload.kind]({ workload, instances, progress, ...options });
  } catch (error) {
    if (isStopping) return new Promise(() => {});
    progress.end();
    process.stderr.write(`${workload.name} failed: ${error.stack}\n`);
    process.exitCode = 1;
    return { workload, failure: error.message };
  }
}

function skipMissing() {
  const absent = new Map();
  for (const workload of workloads) {
    for (const { name, missing } of workload.contestants) if (missing) absent.set(name, missing);
    workload.contestants = workload.contestants.filter(({ missing }) => !missing);
  }
  for (const [name, reason] of absent) process.stderr.write(`skipping ${name}: ${reason}\n`);
  return [...absent].map(([name, reason]) => ({ name, reason }));
}

async function report() {
  const busy = `${busyBefore.toFixed(1)} cores before, ${busyAfter.toFixed(1)} after`;
  const date = new Date().toISOString().slice(0, 10);
  const isPart = options.only.length > 0;
  const name = options.quick ? 'quick' : 'results';
  const page = markdownOf({
    results,
    skipped,
    machine: [...machine, ['busy with other things', busy]],
    options,
    date,
    chart: isPart ? undefined : `${name}.svg`,
  });
  // Imported here, because in a new checkout it has only just been installed.
  const prettier = await import('prettier');
  const config = await prettier.resolveConfig(join(FOLDER, `${name}.md`));
  const markdown = await prettier.format(page, { ...config, parser: 'markdown' });
  if (!isPart) save(name, markdown);
  process.stdout.write(markdown);
}

function save(name, markdown) {
  const caption = `Bars: median of ${options.rounds} rounds of ${options.seconds} s; lines: lowest to highest; × the first of its group`;
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(join(FOLDER, `${name}.md`), markdown);
  writeFileSync(join(FOLDER, `${name}.svg`), chartOf(results, { caption }));
  process.stderr.write(`written: docs/performance/${name}.md and ${name}.svg\n`);
}

function optionsOrFail() {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    return fail(`${error.message}\n${USAGE}`);
  }
}

function end(text) {
  process.stdout.write(`${text}\n`);
  process.exit(0);
}
