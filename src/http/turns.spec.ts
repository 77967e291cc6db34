import { describe, expect, it } from 'vitest';
import { Turns } from './turns.js';

const KIB = 1024;
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

describe('turns of large values', () => {
  // Holds limit.large-work.
  it('leave at least half of the time to all others, however many wait', async () => {
    const turns = new Turns();
    let workedMs = 0;
    const start = performance.now();
    const task = async (): Promise<void> => {
      await turns.take(300 * KIB);
      workedMs += work();
    };
    await Promise.all(Array.from({ length: TASKS }, task));
    // The pause behind the last one is not seen, and each is up to 1 ms short.
    const share = workedMs / (performance.now() - start);
    expect(share).toBeLessThan(0.65);
  });

  it('are one at a time for what is large, and together for what is not', async () => {
    const turns = new Turns();
    /** @returns how many went on in each turn of the event loop in which any did */
    async function inTurns(bytes: number): Promise<number[]> {
      let turn = 0;
      let isOver = false;
      const next = (): void => {
        turn++;
        if (!isOver) setImmediate(next);
      };
      next();
      const counts = new Map<number, number>();
      const task = async (): Promise<void> => {
        await turns.take(bytes);
        counts.set(turn, (counts.get(turn) ?? 0) + 1);
      };
      await Promise.all(Array.from({ length: TASKS }, task));
      isOver = true;
      return [...counts.values()];
    }
    expect(Math.max(...(await inTurns(300 * KIB)))).toBe(1);
    expect(Math.max(...(await inTurns(64 * KIB)))).toBe(4);
  });
});
