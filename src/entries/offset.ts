import { KvError } from './kv.errors.js';

/**
 * A place in the log of changes. Clients must not interpret its text, but may compare texts: they sort in the order
 * of the log.
 */
export type Offset =
  /** The beginning: a snapshot, and then what changed since. */
  | { readonly kind: 'start' }
  /** The end of the log, wherever it is. */
  | { readonly kind: 'now' }
  /** Behind all changes of this revision. */
  | { readonly kind: 'change'; readonly revision: number }
  /** In a snapshot that began at this revision, behind this key. */
  | { readonly kind: 'snapshot'; readonly revision: number; readonly after: string };

export const START_OFFSET = '-1';
export const NOW_OFFSET = 'now';

const DIGITS = 20;
const CHANGE = /^\d{20}$/;
/** A hyphen sorts before digits, so an offset in a snapshot sorts before all offsets of changes. */
const SNAPSHOT = /^0-(\d{20})-((?:[\da-f]{2})*)$/;

/** The offset behind all changes of this revision. */
export function changeOffset(revision: number): string {
  return String(revision).padStart(DIGITS, '0');
}

export function snapshotOffset(revision: number, after: string): string {
  return `0-${changeOffset(revision)}-${Buffer.from(after).toString('hex')}`;
}

/** @throws {KvError} INVALID_OFFSET */
export function parseOffset(text: string): Offset {
  if (text === START_OFFSET) return { kind: 'start' };
  if (text === NOW_OFFSET) return { kind: 'now' };
  if (CHANGE.test(text)) return { kind: 'change', revision: parseRevision(text) };
  const [, revision, hex] = SNAPSHOT.exec(text) ?? [];
  if (revision === undefined || hex === undefined) throw new KvError('INVALID_OFFSET');
  const after = Buffer.from(hex, 'hex').toString();
  if (Buffer.from(after).toString('hex') !== hex) throw new KvError('INVALID_OFFSET');
  return { kind: 'snapshot', revision: parseRevision(revision), after };
}

function parseRevision(digits: string): number {
  const revision = Number(digits);
  if (!Number.isSafeInteger(revision)) throw new KvError('INVALID_OFFSET');
  return revision;
}
