import { KvError } from '../entries/kv.errors.js';

/**
 * A query parameter that is `true` or `false`. An absent one is false.
 * @throws {KvError} INVALID_QUERY
 */
export function parseFlag(query: Record<string, unknown>, name: string): boolean {
  const value = query[name];
  if (value === undefined || value === 'false') return false;
  if (value === 'true') return true;
  throw new KvError('INVALID_QUERY');
}

/** @throws {KvError} INVALID_QUERY where the parameter is given twice. */
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
 * Checks percent-encoding. The router keeps an escape that cannot be decoded as plain text.
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
