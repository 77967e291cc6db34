import { createHash } from 'node:crypto';
import { KvError } from '../kv/kv.errors.js';
import type { Filter } from './filter.js';

/** What a walk goes on from: its filter, and the key behind which the next page begins. */
export interface Position {
  readonly filter: Filter;
  readonly after: string;
}

/** Changed when the form of a cursor does: an older one is then refused, not misread. */
const FORM = 'kv-cursor-1';
const DIGEST_BYTES = 12;

/**
 * Opaque to clients. It holds all that the next page needs, so it outlives restarts and is good at every instance. The digest
 * finds out what was altered or cut short; it keeps no secret, for a cursor says no more than a query could.
 */
export function writeCursor({ filter, after }: Position): string {
  const body = Buffer.from(JSON.stringify([filter, after]));
  return Buffer.concat([digest(body), body]).toString('base64url');
}

/** @throws {KvError} INVALID_CURSOR */
export function readCursor(cursor: string): Position {
  const bytes = Buffer.from(cursor, 'base64url');
  const body = bytes.subarray(DIGEST_BYTES);
  if (bytes.toString('base64url') !== cursor || !digest(body).equals(bytes.subarray(0, DIGEST_BYTES))) {
    throw new KvError('INVALID_CURSOR');
  }
  const position = parsePosition(body.toString());
  if (!position) throw new KvError('INVALID_CURSOR');
  return position;
}

/** The digest is no secret: what has a right one may still be somebody's own making. */
function parsePosition(text: string): Position | undefined {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(document)) return undefined;
  const [filter, after] = document as unknown[];
  if (typeof after !== 'string' || typeof filter !== 'object' || filter === null) return undefined;
  const { prefix, start, end, reverse, keysOnly } = filter as Record<string, unknown>;
  const areTexts = [prefix, start, end].every((text) => text === undefined || typeof text === 'string');
  if (!areTexts || typeof reverse !== 'boolean' || typeof keysOnly !== 'boolean') return undefined;
  return { filter: filter as Filter, after };
}

function digest(body: Buffer): Buffer {
  return createHash('sha256').update(FORM).update(body).digest().subarray(0, DIGEST_BYTES);
}
