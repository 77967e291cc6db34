import { load } from './load.mjs';
import { prove } from './prove.mjs';
import { wrk } from './wrk.mjs';

/** The contestants that are running. */
export class Fleet {
  #instances = new Map();
  #warmUp;

  /**
   * @param firstSeconds how long a new instance runs under load before it is measured, because compilers need time to
   * optimise
   */
  constructor({ firstSeconds }) {
    this.#warmUp = { connections: 64, seconds: firstSeconds };
  }

  /**
   * @returns the running instance of the contestant, with the entries that `traffic` needs. It is started if
   * necessary.
   */
  async ready(contestant, traffic) {
    const isNew = !this.#instances.has(contestant);
    if (isNew) this.#instances.set(contestant, await contestant.start());
    const instance = this.#instances.get(contestant);
    if (!contestant.isYardstick && !contestant.refusesAll) {
      await prove(instance, traffic.bytes);
      if (!contestant.entries) await load(instance, traffic.entries ?? 0, traffic.bytes);
    }
    if (isNew && !contestant.needsNoWarmUp)
      await wrk(instance, { pick: 'one', reads: 0.5, bytes: traffic.bytes }, this.#warmUp);
    return instance;
  }

  async stopAllBut(needed) {
    for (const [contestant, instance] of this.#instances) {
      if (needed.has(contestant)) continue;
      this.#instances.delete(contestant);
      await instance.stop();
    }
  }
}
