import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { RECORD } from './positions.js';

/**
 * Goes to the answer in the record of a write (tarantool/kv/retries.lua), behind its outcome, which is always OK.
 * @returns how many members follow.
 */
export function openRecord(reader: MsgpackReader): number {
  reader.arrayHeader();
  for (let at = 0; at < RECORD.indexOf('ANSWER'); at++) reader.skip();
  const members = reader.arrayHeader() - 1;
  reader.skip();
  return members;
}
