import { decodeValue } from '../json/decode-value.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { ROW } from './positions.js';
import type { EncodedEntry, Entry, Written } from '../entries/entry.js';

/** Reads a tuple of the space (tarantool/kv/row.lua): key, value, version and, for an entry that expires, when. */
export function readTuple(reader: MsgpackReader): Entry & { key: string } {
  const fields = reader.arrayHeader();
  const key = reader.string();
  const json = decodeValue(reader);
  const version = reader.integer();
  return { key, json, version, expiresAt: fields === ROW.length ? readExpiry(reader) : undefined };
}

/** Reads a tuple and leaves its value encoded. */
export function readEncoded(reader: MsgpackReader): EncodedEntry {
  reader.arrayHeader();
  reader.skip();
  const start = reader.offset;
  reader.skip();
  return { value: reader.buffer.subarray(start, reader.offset), version: reader.integer() };
}

/** Reads the members of a write's answer behind the outcome: the version, and when the entry expires. */
export function readWritten(reader: MsgpackReader, members: number): Written {
  return { version: reader.integer(), expiresAt: members > 1 ? readExpiry(reader) : undefined };
}

function readExpiry(reader: MsgpackReader): number | undefined {
  return reader.nil() ? undefined : reader.integer();
}
