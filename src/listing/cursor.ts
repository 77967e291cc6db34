import { createHash } from 'node:crypto';
import { KvError } from '../entries/kv.errors.js';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import type { Filter } from './filter.js';

export interface Walk {
  readonly filter: Filter;
  /** Identifies the filter with which the walk began. */
  readonly filterId: string;
}

/** Where a walk continues: its filter, and the key behind which the next page begins. */
export interface Position extends Walk {
  readonly after: string;
}

/** Has to be changed when the form of a cursor changes. Cursors of the old form are then refused, not misread. */
const FORM = 'kv-cursor-2';
const DIGEST_BYTES = 12;
const MEMBERS = 6;
/** Cursors of walks without a delimiter have the form that they had before there were delimiters. */
const MEMBERS_WITH_DELIMITER = 7;

const writer = new MsgpackWriter();

export function filterId({ prefix, start, end, reverse, keysOnly, delimiter }: Filter): string {
  const members = [prefix, start, end, reverse, keysOnly, ...(delimiter === undefined ? [] : [delimiter])];
  return digest(Buffer.from(JSON.stringify(members))).toString('base64url');
}

/**
 * Writes a cursor, which clients must not interpret. It holds all that the next page needs, so it stays valid after a
 * restart and on every instance. It holds nothing else, so that it stays short: a prefix is stored as a length of
 * `after`, and the bound that the walk has passed is left out. The digest detects a cursor that was altered or cut
 * short. It protects no secret, because a cursor says no more than a query could.
 */
export function writeCursor({
  filter: { prefix = '', start, end, delimiter, reverse, keysOnly },
  filterId: id,
  after,
}: Position): string {
  const ahead = reverse ? start : end;
  const members = delimiter === undefined ? MEMBERS : MEMBERS_WITH_DELIMITER;
  writer.reset().arrayHeader(members).string(id).string(after).integer(prefix.length);
  if (ahead === undefined) writer.nil();
  else writer.string(ahead);
  writer.boolean(reverse).boolean(keysOnly);
  if (delimiter !== undefined) writer.string(delimiter);
  const body = Buffer.from(writer.bytes());
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
    // The digest is no secret, so a cursor with a correct digest may still have been made by somebody else.
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
  const delimiter = members === MEMBERS_WITH_DELIMITER ? reader.string() : undefined;
  if ((members !== MEMBERS && !delimiter) || reader.offset !== reader.buffer.length)
    throw new KvError('INVALID_CURSOR');
  const filter = { prefix, delimiter, reverse, keysOnly, ...(reverse ? { start: ahead } : { end: ahead }) };
  return { filter, filterId: id, after };
}

function digest(body: Buffer): Buffer {
  return createHash('sha256').update(FORM).update(body).digest().subarray(0, DIGEST_BYTES);
}
