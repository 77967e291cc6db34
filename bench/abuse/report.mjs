import { median } from '../statistics.mjs';

const MAX_RATIO = 2;

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

  /** @param phase alone, control or attacked */
  add(title, phase, result) {
    const windows = (this.#windows[title] ??= { alone: [], control: [], attacked: [] });
    windows[phase].push(result);
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
    const { alone, control, attacked } = this.#windows[title];
    const [p99, p50] = ['p99', 'p50'].map((name) =>
      [alone, control, attacked].map((windows) => median(windows.map((window) => window[name]))),
    );
    const ratio = p99[2] / Math.max(p99[0], p99[1]);
    const failed = attacked.reduce((sum, { refused, broken }) => sum + refused + broken, 0);
    const peaks = this.#takePeaks();
    const faults = [
      ...(ratio > MAX_RATIO ? ['p99 more than doubled'] : []),
      ...(failed > 0 ? [`${failed} GETs of others failed`] : []),
      ...Object.keys(peaks)
        .filter((name) => peaks[name] > this.#bounds[name])
        .map((name) => `${name} over its bound`),
    ];
    if (faults.length > 0) this.hasFailed = true;

    const ms = (three) => three.map((time) => time.toFixed(1)).join(' / ');
    const mib = Object.entries(peaks).map((peak) => peak.join(' '));
    console.log(`${title}: ${faults.length > 0 ? `FAILED: ${faults.join('; ')}` : 'ok'}`);
    console.log(`  alone / control / attacked: p99 ${ms(p99)} ms (${ratio.toFixed(2)} ×), p50 ${ms(p50)} ms`);
    console.log(`  MiB at most: ${mib.join(', ')}`);
    for (const [name, counts] of Object.entries(this.#statuses[title])) {
      const answers = Object.entries(counts).map(([status, count]) => `${status} × ${count}`);
      console.log(`  ${name}: ${answers.join(', ') || 'nothing'}`);
    }
  }
}
