/**
 * Shows on standard error what is running: on a terminal in one line that is rewritten, otherwise in one line for
 * each workload.
 */
export class Progress {
  #last;
  #startedAt = performance.now();

  constructor(total) {
    this.total = total;
    this.index = 0;
  }

  next() {
    this.index++;
  }

  show(workload, phase) {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    const line = `[${this.index}/${this.total} ${clock}] ${workload.name}`;
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${line}: ${phase}`);
    else if (this.#last !== workload) process.stderr.write(`${line}: ${workload.title}\n`);
    this.#last = workload;
  }

  end() {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }
}
