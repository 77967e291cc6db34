import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAX_REPEATS_PER_SECOND, Repeats } from './repeats.js';

let lines: object[];
let repeats: Repeats;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as object);
  repeats = new Repeats(pino({ base: null, timestamp: false }, { write }));
});
afterEach(() => vi.useRealTimers());

const allowed = (kind: string, times: number): number =>
  Array.from({ length: times }, () => repeats.allow(kind)).filter(Boolean).length;

const told = (kind: string, suppressed: number): object => ({
  level: 40,
  kind,
  suppressed,
  msg: 'lines like those before were not logged',
});

describe('Repeats', () => {
  // Holds limit.log-lines.
  it('lets so many lines of each kind through in a second, and counts the others', () => {
    expect(allowed('a', MAX_REPEATS_PER_SECOND + 7)).toBe(MAX_REPEATS_PER_SECOND);
    expect(allowed('b', 3)).toBe(3);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(lines).toEqual([told('a', 7)]);
  });

  it('begins anew with each second, and says nothing of one in which all was logged', () => {
    for (let second = 0; second < 3; second++) {
      expect(allowed('a', MAX_REPEATS_PER_SECOND)).toBe(MAX_REPEATS_PER_SECOND);
      vi.advanceTimersByTime(1000);
    }
    expect(lines).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('tells at once when it is asked to, as at the end of the process', () => {
    allowed('a', MAX_REPEATS_PER_SECOND + 1);
    repeats.tell();
    vi.advanceTimersByTime(1000);
    expect(lines).toEqual([told('a', 1)]);
  });
});
