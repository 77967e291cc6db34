import { parseArgs } from 'node:util';

const PRESETS = {
  full: {
    rounds: 5,
    seconds: 3,
    firstSeconds: 5,
    warmUpSeconds: 1,
    mixedEntries: 100_000,
    growth: [1_000, 100_000, 1_000_000],
  },
  quick: {
    rounds: 2,
    seconds: 0.3,
    firstSeconds: 1.5,
    warmUpSeconds: 0.2,
    mixedEntries: 10_000,
    growth: [1_000, 100_000],
  },
};

export const USAGE = `npm run bench -- [options]
  --quick         short rounds and small sets: under two minutes, and too short to quote
  --only NAME     a part: a workload or the first words of one (get, put, growth, …); can be given more than once
  --rounds N      rounds of each workload
  --seconds N     length of a round
  --list          names the workloads
A full run writes docs/performance/results.md and results.svg, --quick writes quick.md and quick.svg there, a part nothing.`;

/** @throws an error with one line for the user */
export function parseOptions(args) {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const options = { ...values, ...PRESETS[values.quick ? 'quick' : 'full'] };
  for (const name of ['rounds', 'seconds']) {
    if (values[name] === undefined) continue;
    options[name] = Number(values[name]);
    if (!(options[name] > 0)) throw new Error(`--${name} takes a number above 0`);
  }
  if (!Number.isInteger(options.rounds)) throw new Error('--rounds takes a whole number');
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  return { ...options, command };
}
