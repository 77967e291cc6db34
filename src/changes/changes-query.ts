import { KvError } from '../entries/kv.errors.js';
import { parseOffset } from '../entries/offset.js';
import type { Offset } from '../entries/offset.js';
import { checkEscapes, parseCount, parseText } from '../http/query.js';

/** How a client wants to be told of changes. */
export interface ChangesQuery {
  readonly offset: Offset;
  readonly prefix: string;
  readonly live: 'long-poll' | 'sse' | undefined;
  readonly withValues: boolean;
  /** How long a long poll waits. */
  readonly timeoutMs: number;
  /** The cursor of the answer before. */
  readonly cursor: string | undefined;
}

const PARAMETERS = new Set(['offset', 'prefix', 'live', 'values', 'timeout', 'cursor']);
const DEFAULT_TIMEOUT_S = 30;
const MAX_TIMEOUT_S = 60;
/** The longest key that MAX_KEY_BYTES allows. */
const MAX_PREFIX_BYTES = 4096;

/**
 * Reads the query. `lastEventId` is what an EventSource sends when it reconnects: it knows more than the address that
 * the page once gave it. `start` is the offset where neither is given.
 * @throws {KvError} INVALID_QUERY, INVALID_OFFSET
 */
export function readChangesQuery(
  url: string,
  query: Record<string, unknown>,
  lastEventId: string | undefined,
  start: string,
): ChangesQuery {
  checkEscapes(url);
  if (Object.keys(query).some((name) => !PARAMETERS.has(name))) throw new KvError('INVALID_QUERY');
  const live = parseText(query, 'live');
  if (live !== undefined && live !== 'long-poll' && live !== 'sse') throw new KvError('INVALID_QUERY');
  const sent = parseText(query, 'offset') ?? start;
  const prefix = parseText(query, 'prefix') ?? '';
  if (Buffer.byteLength(prefix) > MAX_PREFIX_BYTES) throw new KvError('INVALID_QUERY');
  const values = parseText(query, 'values') ?? 'true';
  if (values !== 'true' && values !== 'false') throw new KvError('INVALID_QUERY');
  return {
    offset: parseOffset(live === 'sse' && lastEventId ? lastEventId : sent),
    prefix,
    live,
    withValues: values === 'true',
    timeoutMs: (parseCount(query, 'timeout', MAX_TIMEOUT_S) ?? DEFAULT_TIMEOUT_S) * 1000,
    cursor: parseText(query, 'cursor'),
  };
}
