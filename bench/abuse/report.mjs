import { median } from '../statistics.mjs';

const MAX_RATIO = 2;
const PHASES = ['alone', 'control', 'attacked'];

/** Collects what was measured under each title, compares it with the bounds, and prints it. */
export class Report {
  hasFailed = false;
  #bounds;
  #takePeaks;
  #windows = {};
  #statuses = {};

  /**
   * @param bounds MiB of each kind of process
   * @param takePeaks returns the MiB of each since it was called last, and throws when a process is lost
   */
  constructor(bounds, takePeaks) {
    this.#bounds = bounds;
    this.#takePeaks = takePeaks;
    console.log(
      `bounds in MiB: ${Object.entries(bounds)
        .map((bound) => bound.join(' '))
        .join(', ')}`,
    );
  }

  /**
   * @param phase alone, control or attacked
   * @param window `kept` of `pace`, and `fresh` of `newcomers`
   */
  add(title, phase, window) {
    const windows = (this.#windows[title] ??= Object.fromEntries(PHASES.map((name) => [name, []])));
    windows[phase].push(window);
  }

  /** @param statuses the counts of each attack */
  addStatuses(title, statuses) {
    const sums = (this.#statuses[title] ??= {});
    for (const [name, counts] of Object.entries(statuses)) {
      const sum = (sums[name] ??= {});
      for (const [status, count] of Object.entries(counts)) sum[status] = (sum[status] ?? 0) + count;
    }
  }

  /** Shows all that was added under a title so far, and the peaks of memory since the last time. */
  show(title) {
    const phases = PHASES.map((phase) => this.#windows[title][phase]);
    const attacked = phases.at(-1);
    const kept = (name) => phases.map((windows) => median(windows.map((window) => window.kept[name])));
    const fresh = (part) =>
      phases.map((windows) =>
        percentile(
          windows.flatMap((window) => window.fresh.latencies),
          part,
        ),
      );
    const times = {
      'kept connections': { p50: kept('p50'), p99: kept('p99') },
      'new connections': { p50: fresh(0.5), p99: fresh(0.99) },
    };
    const failed = attacked.reduce((sum, { kept: { refused, broken } }) => sum + refused + broken, 0);
    const turnedAway = attacked.reduce((sum, window) => sum + window.fresh.failed, 0);
    const peaks = this.#takePeaks();
    const faults = [
      ...Object.entries(times)
        .filter(([, { p99 }]) => ratioOf(p99) > MAX_RATIO)
        .map(([name]) => `p99 of ${name} more than doubled`),
      ...(failed > 0 ? [`${failed} GETs on kept connections failed`] : []),
      ...(turnedAway > 0 ? [`${turnedAway} new connections failed`] : []),
      ...Object.keys(peaks)
        .filter((name) => peaks[name] > this.#bounds[name])
        .map((name) => `${name} over its bound`),
    ];
    if (faults.length > 0) this.hasFailed = true;

    const ms = (three) => three.map((time) => time.toFixed(1)).join(' / ');
    console.log(`${title}: ${faults.length > 0 ? `FAILED: ${faults.join('; ')}` : 'ok'}`);
    console.log(`  ${PHASES.join(' / ')}, in ms`);
    for (const [name, { p50, p99 }] of Object.entries(times)) {
      console.log(`  ${name}: p99 ${ms(p99)} (${ratioOf(p99).toFixed(2)} ×), p50 ${ms(p50)}`);
    }
    const mib = Object.entries(peaks).map((peak) => peak.join(' '));
    console.log(`  MiB at most: ${mib.join(', ')}`);
    for (const [name, counts] of Object.entries(this.#statuses[title])) {
      const answers = Object.entries(counts).map(([status, count]) => `${status} × ${count}`);
      console.log(`  ${name}: ${answers.join(', ') || 'nothing'}`);
    }
  }
}

function ratioOf(times) {
  const [alone = 0, control = 0, attacked = 0] = times;
  return attacked / Math.max(alone, control);
}

function percentile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN;
}
