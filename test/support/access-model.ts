import type { Right, Rule } from '../../src/access/rule.js';

/** What a request does, as far as rights are concerned: each right that it needs, on a key or on all with a prefix. */
export type Need = readonly [right: Right, keyOrPrefix: string];

/** A token of the test: valid, or one that has ended before any request shows it. */
export interface ModelToken {
  readonly token: string;
  readonly rules: readonly Rule[];
  readonly isValid: boolean;
}

export type Verdict = 'unauthorized' | 'forbidden' | 'allowed';

/** The rules once more, written from the text of docs/api.md and by bytes, so that the service can be compared. */
export function verdictOf({ rules, isValid }: ModelToken, needs: readonly Need[]): Verdict {
  if (!isValid) return 'unauthorized';
  return needs.every((need) => isGiven(rules, need)) ? 'allowed' : 'forbidden';
}

export function isGiven(rules: readonly Rule[], [right, keyOrPrefix]: Need): boolean {
  const bytes = Buffer.from(keyOrPrefix);
  for (const { prefix, rights } of rules) {
    const begin = Buffer.from(prefix);
    if (rights.includes(right) && bytes.subarray(0, begin.length).equals(begin)) return true;
  }
  return false;
}

/** What the value of a key holds, by which an answer gives away that it is about this key. */
export function markOf(key: string): string {
  return `mark-${Buffer.from(key).toString('hex')}-`;
}

/** The keys whose marks are in a text. */
export function keysMarkedIn(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/mark-([\da-f]+)-/g)].map(([, hex = '']) => Buffer.from(hex, 'hex').toString()),
  );
}

/** The keys that a text names: members `key` of items, events and messages. */
export function keysNamedIn(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/"key":("(?:[^"\\]|\\.)*")/g)].map(([, key = '""']) => JSON.parse(key) as string),
  );
}
