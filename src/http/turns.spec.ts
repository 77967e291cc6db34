import { afterEach, describe, expect, it, vi } from 'vitest';
import { Turns } from './turns.js';

const TASKS = 20;
const TASK_MS = 5;

/** As what works on a value does, it lets nothing else run. @returns how many ms it took */
function work(): number {
  const start = performance.now();
  for (;;) {
    const ms = performance.now() - start;
    if (ms >= TASK_MS) return ms;
  }
}

describe('turns of large work', () => {
  // Holds limit.large-work.
  it('leave at least half of the time to all others, however many wait', async () => {
    const turns = new Turns();
    let workedMs = 0;
    const start = performance.now();
    const task = async (): Promise<void> => {
      await turns.take('a');
      workedMs += work();
    };
    await Promise.all(Array.from({ length: TASKS }, task));
    // The pause behind the last one is not seen, and each is up to 1 ms short.
    const share = workedMs / (performance.now() - start);
    expect(share).toBeLessThan(0.65);
  });

  it('are one at a time, with a look at all else between two of them', async () => {
    const turns = new Turns();
    let looks = 0;
    let isOver = false;
    const look = (): void => {
      looks++;
      if (!isOver) setImmediate(look);
    };
    setImmediate(look);
    const seen = new Set<number>();
    const task = async (): Promise<void> => {
      await turns.take('a');
      seen.add(looks);
    };
    await Promise.all(Array.from({ length: TASKS }, task));
    isOver = true;
    expect(seen.size).toBe(TASKS);
  });

  it('go around among the clients, and keep the order of each', async () => {
    const turns = new Turns();
    const order: string[] = [];
    const task = async (name: string): Promise<void> => {
      await turns.take(name.charAt(0));
      order.push(name);
    };
    await Promise.all(['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map(task));
    expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  it('come at once where nobody had any for a while', async () => {
    const turns = new Turns();
    for (let n = 0; n < 3; n++) {
      let hasLooked = false;
      setImmediate(() => (hasLooked = true));
      await turns.take('a');
      expect(hasLooked).toBe(false);
      await new Promise((resolve) => setTimeout(resolve, 2 * TASK_MS));
    }
  });
});

describe('the pause behind large work', () => {
  afterEach(() => void vi.restoreAllMocks());

  it.each([
    [[0.75, 0], []],
    [[1, 0], [1]],
    [[3.75, 0], [3]],
    // Short pieces are added up, until there was a pause for them.
    [
      [0.75, 0.5, 0.75, 0.5, 0],
      [1, 1],
    ],
    [
      [2, 0.5, 0.5, 0],
      [2, 1],
    ],
  ])('of %j ms is %j ms', async (pieces, pauses) => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const wait = vi.spyOn(globalThis, 'setTimeout');
    const turns = new Turns();
    const task = async (ms: number): Promise<void> => {
      await turns.take('a');
      now += ms;
    };
    await Promise.all(pieces.map(task));
    await new Promise(setImmediate);
    expect(wait.mock.calls.map(([, ms]) => ms)).toEqual(pauses);
  });
});
