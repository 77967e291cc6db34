import { megabytes, milliseconds, rate, spread, times } from './format.mjs';
import { ratio, summary } from './statistics.mjs';

/** @returns the results as a Markdown page whose tables are not aligned yet */
export function markdownOf({ results, skipped, machine, options, date, chart }) {
  const facts = [
    ['command', `\`${options.command}\``],
    ['date', date],
    ['rounds', `${options.rounds} of ${options.seconds} s for each contestant, in turn`],
    ...machine,
  ];
  return [
    '# Measured performance',
    'Written by `npm run bench`; do not edit. Numbers of different machines, or of different days, say nothing about each other: the ratios do,',
    'because the contestants of a workload run at the same time and get their rounds in turn.',
    ...(chart ? ['', `![The same as a chart](${chart})`] : []),
    ...table(['what', 'here'], ['-', '-'], facts),
    ...contestants(skipped),
    ...results.flatMap((result) => ['', `## ${result.workload.title}`, '', ...section(result)]),
    '',
  ].join('\n');
}

function contestants(skipped) {
  return [
    '',
    'The contestants, all on the loopback interface with the load generator on the same cores:',
    '',
    '- **yardstick**: `node:http` in 2 processes that answers everything with one fixed body of the same size, and stores nothing',
    '- **kv**: this service as it is run: 2 workers, limiter on (with a limit that is not reached), request log on and written to a file, validation, every header, fsync before the answer to a write',
    '- **etcd**: its JSON gateway, with its defaults: fsync before the answer to a write',
    '- **webdis, redis**: webdis with 2 threads in front of Redis with `appendfsync always`',
    '',
    'Middle: the median of the rounds. Spread: the lowest and the highest round. Ratios are taken round by round, and their median is shown.',
    'Latencies beside rates are those of a closed loop at full load, which wrk corrects for stalls; the section on latency has those at a constant rate.',
    ...skipped.map(({ name, reason }) => `\nNot measured: **${name}**, ${reason}.`),
  ];
}

function section(result) {
  if (result.failure) return [`**Not measured: ${result.failure}**`];
  switch (result.workload.kind) {
    case 'throughput':
      return throughput(result);
    case 'latency':
      return latency(result);
    case 'memory':
      return memory(result);
    default:
      throw new Error(`no table for ${result.workload.kind}`);
  }
}

function throughput({ rows }) {
  const [base] = rows;
  const service = rows.find(({ contestant }) => contestant.name === 'kv');
  const isRace = rows.length > 2 && base !== service && service !== undefined;
  const lines = rows.map((row) => {
    const { median, range } = spread(summary(row.rates), rate);
    const share = spread(ratio(row.rates, base.rates), times);
    return [
      row.contestant.name,
      median,
      range,
      row === base ? '1' : share.median,
      row === base ? '' : share.range,
      ...(isRace ? [row === service ? '' : `${times(ratio(service.rates, row.rates).median)} ×`] : []),
      milliseconds(summary(row.p50us).median / 1000),
      milliseconds(summary(row.p99us).median / 1000),
    ];
  });
  const head = ['', 'requests/s', 'spread', `of ${base.contestant.name}`, 'spread'];
  const columns = [...head, ...(isRace ? ['kv ÷ it'] : []), 'p50 ms', 'p99 ms'];
  return table(columns, ['-', ...columns.slice(1).map(() => '-:')], lines);
}

function latency({ rate: wanted, rows }) {
  const [base] = rows;
  const lines = rows.map((row) => [
    row.contestant.name,
    ...['p50', 'p99', 'p999'].flatMap((percentile) => {
      const { median, range } = spread(summary(row[percentile]), milliseconds);
      return [`${median} (${range})`];
    }),
    row === base ? '1' : times(ratio(row.p99, base.p99).median),
  ]);
  return [
    `${rate(wanted)} requests a second for both, each sent when it was due, whatever the answers before it did, and its latency counted from then.`,
    'In ms: median of the rounds (lowest – highest).',
    ...rows
      .filter((row) => summary(row.rates).min < 0.95 * wanted)
      .map(
        (row) =>
          `${row.contestant.name} did not keep up: ${rate(summary(row.rates).min)} a second in its worst round.`,
      ),
    '',
    ...table(
      ['', 'p50', 'p99', 'p99.9', `p99 of ${base.contestant.name}`],
      ['-', '-:', '-:', '-:', '-:'],
      lines,
    ),
  ];
}

function memory(result) {
  if (result.missing) return [`Not measured: ${result.missing}.`];
  return table(
    ['what', 'resident'],
    ['-', '-:'],
    [
      ['Tarantool, for each entry', `${Math.round(result.bytesPerEntry)} bytes`],
      [`Tarantool with ${rate(result.entries)} entries`, megabytes(result.storeBytes)],
      ['a worker under load, middle', megabytes(result.workerBytes)],
      ['a worker, its highest so far', megabytes(result.workerPeakBytes)],
    ],
  );
}

function table(head, alignment, lines) {
  return ['', ...[head, alignment, ...lines].map((cells) => `| ${cells.join(' | ')} |`)];
}
