import { describe, expect, it } from 'vitest';
import type { Delivery, FeedHistory, ToldChange } from './support/feed-history.js';
import { validators } from './support/feed-validators.js';

function change(revision: number, key: string, more: Partial<ToldChange> = {}): ToldChange {
  const json = `{"n":${revision}}`;
  return {
    revision,
    key,
    operation: 'update',
    version: revision,
    json,
    expiresAt: undefined,
    isExpiry: false,
    ...more,
  };
}

const END = '2026-11-25T12:00:00.000Z';
const removed = { operation: 'delete', json: undefined };
const LOG: readonly ToldChange[] = [
  change(11, 'a', { operation: 'insert' }),
  // A transaction.
  change(12, 'a'),
  change(12, 'b', { operation: 'insert', expiresAt: END }),
  // A touch.
  change(15, 'a', { version: 12, json: '{"n":12}', expiresAt: END }),
  // An entry that has expired, and is made anew.
  change(16, 'b', { ...removed, isExpiry: true }),
  change(16, 'b', { operation: 'insert' }),
  change(18, 'a', removed),
  change(20, 'other', { operation: 'insert' }),
];
const [inserted, txnA, txnB, touched, expired, anew, deleted, other] = LOG as [
  ToldChange,
  ToldChange,
  ToldChange,
  ToldChange,
  ToldChange,
  ToldChange,
  ToldChange,
  ToldChange,
];

function delivery(connection: number, from: number, next: number, ...changes: ToldChange[]): Delivery {
  return { connection, from, changes, next, isGone: false };
}

/** A client that fell out of the log once, connected again twice, and passed over a key with another prefix. */
const DELIVERIES: readonly Delivery[] = [
  { ...delivery(0, 5, 5), isGone: true },
  delivery(1, 10, 11, inserted),
  delivery(1, 10, 12, txnA, txnB),
  delivery(2, 12, 15, touched),
  delivery(3, 15, 16, expired, anew),
  delivery(3, 15, 18, deleted),
  delivery(3, 15, 20),
];

const GOOD: FeedHistory = {
  prefix: '',
  deliveries: [...DELIVERIES.slice(0, -1), delivery(3, 15, 20, other)],
  acknowledged: [
    { key: 'a', revision: 12, version: 12, json: '{"n":12}', expiresAt: undefined },
    { key: 'a', revision: undefined, version: 12, json: undefined, expiresAt: END },
    { key: 'a', revision: 18, version: 18, json: undefined, expiresAt: undefined },
    { key: 'other', revision: 20, version: 20, json: '{"n":20}', expiresAt: undefined },
  ],
  reference: LOG,
  held: 10,
};

const broken = (history: FeedHistory): string[] =>
  Object.keys(validators).filter((name) => (validators[name]?.(history).length ?? 0) > 0);

/** The good history with `count` deliveries from a place on replaced by others. */
const planted = (at: number, count: number, ...deliveries: Delivery[]): FeedHistory => ({
  ...GOOD,
  deliveries: GOOD.deliveries.toSpliced(at, count, ...deliveries),
});

describe('the validators of the feed', () => {
  it('find nothing in a good history, with and without a prefix', () => {
    expect(broken(GOOD)).toEqual([]);
    const mine = [delivery(1, 10, 12, txnB), delivery(1, 10, 16, expired, anew), delivery(1, 10, 20)];
    expect(broken({ ...GOOD, prefix: 'b', deliveries: mine })).toEqual([]);
  });

  it.each<[string, FeedHistory]>([
    ['ordered', planted(2, 3, delivery(1, 10, 16, expired, anew, txnA, txnB, touched))],
    ['unique', planted(2, 1, delivery(1, 10, 12, txnA, txnA, txnB))],
    ['reliable', planted(3, 1, delivery(2, 12, 15))],
    ['reliable', planted(2, 1, delivery(1, 10, 12, txnA))],
    [
      'reliable',
      { ...GOOD, acknowledged: [{ key: 'c', revision: 19, version: 19, json: '{}', expiresAt: END }] },
    ],
    [
      'reliable',
      { ...GOOD, acknowledged: [{ key: 'b', revision: undefined, version: 16, json: '{}', expiresAt: END }] },
    ],
    ['atomic', planted(2, 1, delivery(1, 10, 11, txnA), delivery(1, 10, 12, txnB))],
    ['resumable', planted(3, 1, delivery(2, 15, 15, touched))],
    ['bookmarked', planted(2, 1, delivery(1, 10, 15, txnA, txnB))],
    ['bookmarked', planted(6, 0, delivery(3, 15, 17))],
    ['durableOnly', planted(3, 0, delivery(2, 12, 14, change(14, 'undone')))],
    ['durableOnly', planted(5, 1, delivery(3, 15, 18, { ...deleted, isExpiry: true }))],
    ['honest', planted(3, 0, { ...delivery(2, 12, 12), isGone: true })],
    ['honest', planted(1, 0, delivery(1, 4, 5))],
  ])('%s finds its fault, and no other validator does', (name, history) => {
    expect(broken(history)).toEqual([name]);
  });

  it('has a planted fault for each', () => {
    expect(Object.keys(validators)).toEqual([
      'ordered',
      'unique',
      'reliable',
      'atomic',
      'resumable',
      'bookmarked',
      'durableOnly',
      'honest',
    ]);
  });
});
