import { createHash } from 'node:crypto';
import { KvError } from '../entries/kv.errors.js';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import type { Filter } from './filter.js';

export interface Walk {
  readonly filter: Filter;
  /** Tells the filter that the walk began with from others. */
  readonly filterId: string;
}

/** What a walk goes on from: its filter, and the key behind which the next page begins. */
export interface Position extends Walk {
  readonly after: string;
}

/** Changed when the form of a cursor does: an older one is then refused, not misread. */
const FORM = 'kv-cursor-2';
const DIGEST_BYTES = 12;
const MEMBERS = 6;

const writer = new MsgpackWriter();

export function filterId({ prefix, start, end, reverse, keysOnly }: Filter): string {
  return digest(Buffer.from(JSON.stringify([prefix, start, end, reverse, keysOnly]))).toString('base64url');
}

/**
 * Opaque to clients. It holds all that the next page needs, so it outlives restarts and is good at every instance; and no more, so
 * that it stays short: a prefix is the beginning of `after`, which is also the bound from which the walk comes. The digest
 * finds out what was altered or cut short; it keeps no secret, for a cursor says no more than a query could.
 */
export function writeCursor({
  filter: { prefix = '', start, end, reverse, keysOnly },
  filterId: id,
  after,
}: Position): string {
  const ahead = reverse ? start : end;
  writer.reset().arrayHeader(MEMBERS).string(id).string(after).integer(prefix.length);
  if (ahead === undefined) writer.nil();
  else writer.string(ahead);
  const body = Buffer.from(writer.boolean(reverse).boolean(keysOnly).bytes());
  return Buffer.concat([digest(body), body]).toString('base64url');
}

/** @throws {KvError} INVALID_CURSOR */
export function readCursor(cursor: string): Position {
  const bytes = Buffer.from(cursor, 'base64url');
  const body = bytes.subarray(DIGEST_BYTES);
  if (bytes.toString('base64url') !== cursor || !digest(body).equals(bytes.subarray(0, DIGEST_BYTES))) {
    throw new KvError('INVALID_CURSOR');
  }
  try {
    return readPosition(new MsgpackReader(body));
  } catch {
    // The digest is no secret: what has a right one may still be somebody's own making.
    throw new KvError('INVALID_CURSOR');
  }
}

function readPosition(reader: MsgpackReader): Position {
  const members = reader.arrayHeader();
  const id = reader.string();
  const after = reader.string();
  const prefix = after.slice(0, reader.integer()) || undefined;
  const ahead = reader.nil() ? undefined : reader.string();
  const reverse = reader.boolean();
  const keysOnly = reader.boolean();
  if (members !== MEMBERS || reader.offset !== reader.buffer.length) throw new KvError('INVALID_CURSOR');
  const filter = { prefix, reverse, keysOnly, ...(reverse ? { start: ahead } : { end: ahead }) };
  return { filter, filterId: id, after };
}

function digest(body: Buffer): Buffer {
  return createHash('sha256').update(FORM).update(body).digest().subarray(0, DIGEST_BYTES);
}
