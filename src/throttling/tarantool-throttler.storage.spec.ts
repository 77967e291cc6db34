import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decodeValue } from '../json/decode-value.js';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import type { TarantoolClient } from '../tarantool/tarantool-client.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';

const WINDOW_MS = 60_000;
const LIMIT = 80;

/** What the store is asked: the client, want, owed and whole. */
type Asked = [client: string, want: number, owed: number, whole: number];
/** What it answers: the units granted, those remaining, and the time that the window lasts. */
type Answer = [granted: number, remaining: number, endsInMs: number];

let now: number;
let asked: Asked[];
let answers: (Answer | Error)[];
/** Is called while the store is asked. */
let meanwhile: () => void;
let storage: TarantoolThrottlerStorage;

/** Stands for the connection, so that a test sees which calls are saved. What the store does has tests in Lua. */
const client = {
  call(name: string, args: Buffer): Promise<MsgpackReader> {
    const [who, limit, windowMs, ...rest] = JSON.parse(decodeValue(new MsgpackReader(args))) as [
      string,
      number,
      number,
      number,
      number,
      number,
    ];
    expect([name, limit, windowMs]).toEqual(['throttle.take', LIMIT, WINDOW_MS]);
    asked.push([who, ...rest]);
    meanwhile();
    const answer = answers.shift();
    if (!Array.isArray(answer)) return Promise.reject(answer ?? new Error('asked once more'));
    const writer = new MsgpackWriter().arrayHeader(3);
    for (const number of answer) writer.integer(number);
    return Promise.resolve(new MsgpackReader(writer.bytes()));
  },
} as unknown as TarantoolClient;

beforeEach(() => {
  now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  asked = [];
  answers = [];
  meanwhile = () => undefined;
  storage = new TarantoolThrottlerStorage(client);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const one = (who = 'a'): Promise<unknown> => storage.increment(who, WINDOW_MS, LIMIT);
const take = (units: number, who = 'a'): Promise<unknown> => storage.take(who, WINDOW_MS, LIMIT, units);
const owe = (units: number): void => storage.owe('a', WINDOW_MS, LIMIT, units);
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const passes = (totalHits: number): object =>
  expect.objectContaining({ isBlocked: false, totalHits }) as object;
const blocked = expect.objectContaining({ isBlocked: true }) as object;

describe('one unit', () => {
  it('is taken from a share of an eighth, which is asked for once', async () => {
    answers = [[10, 70, WINDOW_MS]];
    for (let i = 1; i <= 10; i++) expect(await one()).toEqual(passes(i));
    expect(asked).toEqual([['a', 10, 0, 0]]);
  });

  it('is taken from an eighth of what is left when a share is used up', async () => {
    answers = [
      [1, 16, WINDOW_MS],
      [2, 14, WINDOW_MS],
    ];
    await one();
    expect(await one()).toEqual(passes(65));
    expect(asked.at(-1)).toEqual(['a', 2, 0, 0]);
  });

  it('is asked for together with all that arrive at the same time', async () => {
    answers = [[30, 50, WINDOW_MS]];
    const hits = await Promise.all(Array.from({ length: 30 }, () => one()));
    expect(hits.at(-1)).toEqual(passes(30));
    expect(asked).toEqual([['a', 30, 0, 0]]);
  });

  it('is refused without a call where the store has none left', async () => {
    answers = [[0, 0, 5000]];
    expect(await one()).toEqual(blocked);
    expect(await one()).toEqual({ totalHits: LIMIT, timeToExpire: 5, isBlocked: true, timeToBlockExpire: 5 });
    expect(asked).toHaveLength(1);
  });

  it('is asked for again when the window has ended, with nothing of the old share', async () => {
    answers = [
      [10, 70, WINDOW_MS],
      [10, 60, WINDOW_MS],
    ];
    await one();
    now += WINDOW_MS;
    expect(await one()).toEqual(passes(11));
    expect(asked).toEqual([
      ['a', 10, 0, 0],
      ['a', 10, 0, 0],
    ]);
  });

  it('fails where the store cannot be asked, and is asked for again by the next', async () => {
    const problem = new Error('no store');
    answers = [problem, [10, 70, WINDOW_MS]];
    await expect(one()).rejects.toBe(problem);
    expect(await one()).toEqual(passes(1));
    expect(asked).toEqual([
      ['a', 10, 0, 0],
      ['a', 10, 0, 0],
    ]);
  });

  it('is counted to each client by itself', async () => {
    answers = [
      [10, 70, WINDOW_MS],
      [0, 0, WINDOW_MS],
    ];
    expect(await one('a')).toEqual(passes(1));
    expect(await one('b')).toEqual(blocked);
    expect(await one('a')).toEqual(passes(2));
  });

  it('keeps the later of two ends of the same window', async () => {
    answers = [
      [1, 79, 10_000],
      [1, 78, 9990],
      [1, 77, 8995],
    ];
    await one();
    now += 5;
    await one();
    now += 1000;
    await one();
    expect(storage.peek('a', WINDOW_MS, LIMIT).timeToExpire).toBe(9);
    now = 10_999;
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toMatchObject({ totalHits: 3, timeToExpire: 1 });
    now = 11_000;
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toMatchObject({ totalHits: 0, timeToExpire: 60 });
  });

  it('begins a new window where the store has, with only the new share', async () => {
    answers = [
      [1, 79, 10_000],
      [4, 76, 50_000],
    ];
    await one();
    await one();
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toMatchObject({ totalHits: 1, timeToExpire: 50 });
  });
});

describe('several units', () => {
  it('are taken from the share where it suffices', async () => {
    answers = [[10, 70, WINDOW_MS]];
    await one();
    expect(await take(9)).toEqual(passes(10));
    expect(asked).toHaveLength(1);
  });

  it('are taken from the share, and the rest as a whole from the store', async () => {
    answers = [
      [10, 70, WINDOW_MS],
      [11, 59, WINDOW_MS],
    ];
    await one();
    expect(await take(20)).toEqual(passes(21));
    expect(asked.at(-1)).toEqual(['a', 0, 0, 11]);
  });

  it('are refused as a whole, which costs nothing, and later ones without a call', async () => {
    answers = [
      [10, 5, WINDOW_MS],
      [0, 5, WINDOW_MS],
    ];
    await one();
    expect(await take(20)).toEqual(blocked);
    expect(await take(20)).toEqual(blocked);
    expect(asked).toHaveLength(2);
    expect(await take(9)).toEqual(passes(75));
  });

  it('are asked for whole where the window has ended', async () => {
    answers = [
      [10, 70, WINDOW_MS],
      [20, 60, WINDOW_MS],
    ];
    await one();
    now += WINDOW_MS;
    expect(await take(20)).toEqual(passes(20));
    expect(asked.at(-1)).toEqual(['a', 0, 0, 20]);
  });

  it('do not give back what belonged to a window that has ended meanwhile', async () => {
    answers = [
      [10, 5, 1000],
      [0, 80, 0],
    ];
    await one();
    const late = take(20);
    now += 1000;
    expect(await late).toEqual(blocked);
    answers = [[1, 79, WINDOW_MS]];
    expect(await one()).toEqual(passes(1));
  });

  it('are taken here only as far as the process knows', async () => {
    expect(storage.takeHere('a', WINDOW_MS, LIMIT, 1)).toBeUndefined();
    answers = [[10, 70, WINDOW_MS]];
    await one();
    expect(storage.takeHere('a', WINDOW_MS, LIMIT, 9)).toEqual(passes(10));
    expect(storage.takeHere('a', WINDOW_MS, LIMIT, 2)).toBeUndefined();
  });
});

describe('work that is done already', () => {
  it('is taken from the share without a call', async () => {
    answers = [[10, 70, WINDOW_MS]];
    await one();
    owe(9);
    await settled();
    expect(asked).toHaveLength(1);
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toEqual(passes(10));
  });

  it('is told to the store as far as the share does not suffice', async () => {
    answers = [
      [10, 70, WINDOW_MS],
      [0, 50, WINDOW_MS],
    ];
    await one();
    owe(29);
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toEqual(passes(30));
    await settled();
    expect(asked.at(-1)).toEqual(['a', 0, 20, 0]);
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toEqual(passes(30));
  });

  it('leaves nothing where it is more than is left', async () => {
    answers = [
      [10, 70, WINDOW_MS],
      [0, 0, WINDOW_MS],
    ];
    await one();
    owe(1000);
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toEqual(passes(LIMIT));
    await settled();
    expect(await one()).toEqual(blocked);
    expect(asked).toHaveLength(2);
  });

  it('is told to the store where no window is known', async () => {
    answers = [[0, 75, WINDOW_MS]];
    owe(5);
    await settled();
    expect(asked).toEqual([['a', 0, 5, 0]]);
  });

  it('is told together, and what comes during the call behind it', async () => {
    answers = [
      [0, 70, WINDOW_MS],
      [0, 63, WINDOW_MS],
    ];
    meanwhile = () => {
      meanwhile = () => undefined;
      owe(7);
    };
    owe(4);
    owe(6);
    await settled();
    await settled();
    expect(asked).toEqual([
      ['a', 0, 10, 0],
      ['a', 0, 7, 0],
    ]);
  });

  it('is told beside a unit that waits', async () => {
    answers = [[10, 65, WINDOW_MS]];
    const hit = one();
    owe(5);
    expect(await hit).toEqual(passes(6));
    expect(asked).toEqual([['a', 10, 5, 0]]);
  });

  it('is forgotten where the store cannot be told', async () => {
    answers = [new Error('no store'), [10, 70, WINDOW_MS]];
    owe(5);
    await settled();
    expect(await one()).toEqual(passes(1));
    expect(asked.at(-1)).toEqual(['a', 10, 0, 0]);
  });
});

describe('what is given back', () => {
  it('can be taken again, up to one limit in a window', async () => {
    answers = [[10, 70, WINDOW_MS]];
    await one();
    storage.giveBack('a', LIMIT, 50);
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toMatchObject({ totalHits: 1 - 50 });
    storage.giveBack('a', LIMIT, 31);
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toMatchObject({ totalHits: 1 - 50 });
    storage.giveBack('a', LIMIT, 30);
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toMatchObject({ totalHits: 1 - 80 });
    expect(await take(80)).toEqual(passes(1));
  });

  it('is nothing in a window that has ended', async () => {
    answers = [
      [1, 79, 1000],
      [1, 79, WINDOW_MS],
    ];
    await one();
    now += 1000;
    storage.giveBack('a', LIMIT, 5);
    expect(await one()).toEqual(passes(1));
    expect(asked).toHaveLength(2);
  });
});

describe('a client', () => {
  it('that nothing is known of has all that is allowed', () => {
    expect(storage.peek('a', WINDOW_MS, LIMIT)).toEqual({
      totalHits: 0,
      timeToExpire: 60,
      isBlocked: false,
      timeToBlockExpire: 0,
    });
  });

  it('beyond the number that is remembered takes no more than each request needs', async () => {
    storage = new TarantoolThrottlerStorage(client, 1);
    answers = [
      [10, 70, WINDOW_MS],
      [1, 79, WINDOW_MS],
      [1, 78, WINDOW_MS],
    ];
    await one('a');
    await one('b');
    await one('b');
    expect(asked).toEqual([
      ['a', 10, 0, 0],
      ['b', 1, 0, 0],
      ['b', 1, 0, 0],
    ]);
  });

  it('is forgotten when its window has ended, and makes room for another', async () => {
    storage = new TarantoolThrottlerStorage(client, 2);
    answers = [
      [10, 70, 1000],
      [10, 70, WINDOW_MS],
      [10, 70, WINDOW_MS],
      [1, 79, WINDOW_MS],
    ];
    await one('short');
    await one('long');
    now += 1000;
    await one('next');
    await one('one too many');
    expect(asked.map(([who, want]) => [who, want])).toEqual([
      ['short', 10],
      ['long', 10],
      ['next', 10],
      ['one too many', 1],
    ]);
    await one('long');
    expect(asked).toHaveLength(4);
  });
});

describe('a window that goes on', () => {
  it('is remembered as booked when its end is told again', async () => {
    answers = [
      [0, 30, WINDOW_MS],
      [3, 27, WINDOW_MS - 900],
    ];
    expect(await take(50)).toEqual(blocked);
    now += 1000;
    expect(await one()).toEqual(passes(51));
    expect(await take(50)).toEqual(blocked);
    expect(asked).toEqual([
      ['a', 0, 0, 50],
      ['a', 3, 0, 0],
    ]);
  });
});
