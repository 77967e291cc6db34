import { KvError } from '../entries/kv.errors.js';

/**
 * A parameter of the query that is `true` or `false`; false where it is absent.
 * @throws {KvError} INVALID_QUERY
 */
export function parseFlag(query: Record<string, unknown>, name: string): boolean {
  const value = query[name];
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new KvError('INVALID_QUERY');
}

/** @throws {KvError} INVALID_QUERY where it is given twice. */
export function parseText(query: Record<string, unknown>, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || typeof value === 'string') return value;
  throw new KvError('INVALID_QUERY');
}

/** @throws {KvError} INVALID_QUERY for anything but a whole number from 1 to `max`. */
export function parseCount(query: Record<string, unknown>, name: string, max: number): number | undefined {
  const value = parseText(query, name);
  if (value === undefined) return undefined;
  const count = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (count < 1 || count > max) throw new KvError('INVALID_QUERY');
  return count;
}

/**
 * The router takes an escape that cannot be decoded for text.
 * @throws {KvError} INVALID_QUERY
 */
export function checkEscapes(url: string): void {
  if (!url.includes('%')) return;
  try {
    decodeURIComponent(url.slice(url.indexOf('?') + 1));
  } catch {
    throw new KvError('INVALID_QUERY');
  }
}
