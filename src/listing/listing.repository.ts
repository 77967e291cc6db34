import assert from 'node:assert/strict';
import { Injectable } from '@nestjs/common';
import type { Room } from '../answers/answer-room.js';
import { ANSWER_SIZE } from '../store/answer-size.js';
import { ArgumentsWriter } from '../store/arguments-writer.js';
import { OUTCOME, refusal } from '../store/outcome.js';
import { readFailure } from '../store/storage-failure.js';
import { readTuple, readWritten } from '../store/tuple.js';
import { isString } from '../msgpack/msgpack-types.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import type { Filter } from './filter.js';

export interface Row {
  readonly key: string;
  readonly version: number;
  /** The value as JSON text. Undefined where the client asked for keys only. */
  readonly json?: string;
  readonly expiresAt: number | undefined;
}

/** What several keys have in common, shown in place of all of them. */
export interface CommonPrefix {
  readonly prefix: string;
}

export interface Rows {
  readonly rows: (Row | CommonPrefix)[];
  /** The key behind which the next page begins. Undefined at the end of the walk. */
  readonly next: string | undefined;
  /** The revision behind which to follow the changes. Undefined where the store keeps no log of them. */
  readonly mark: number | undefined;
}

/**
 * How many rows one call asks for, and how many bytes. The store handles one call at a time, and a process one
 * request. So a page is gathered in small steps, and a read that arrives meanwhile waits for one step at most.
 */
const STEP_ROWS = 50;
const STEP_BYTES = 256 * 1024;
/**
 * How many steps a page takes at most. A walk that meets nothing but expired entries gets a short page and a cursor.
 */
const MAX_STEPS = 64;

/** Ends a place behind all keys with a common prefix (tarantool/kv/listing.lua). No key has this character. */
const ALL_OF_PREFIX = '\0';

/** Pages of entries in the order of their keys' bytes (tarantool/kv/listing.lua). */
@Injectable()
export class ListingRepository {
  private readonly args = new ArgumentsWriter({ maxDepth: 1, maxBodyBytes: 0 });

  constructor(private readonly tarantool: TarantoolClient) {}

  /** Returns up to `limit` rows. The last rows may exceed `maxBytes` of JSON. */
  async list(
    filter: Filter,
    limit: number,
    maxBytes: number,
    room: Pick<Room, 'turn'>,
    after?: string,
  ): Promise<Rows> {
    const rows: Rows['rows'] = [];
    let next = after;
    let bytes = 0;
    let mark: number | undefined;
    for (let steps = 0; steps < MAX_STEPS && rows.length < limit && bytes < maxBytes; steps++) {
      const step = await this.step(filter, Math.min(STEP_ROWS, limit - rows.length), room, next);
      rows.push(...step.rows);
      mark ??= step.mark;
      for (const row of step.rows) bytes += bytesOf(row);
      if (step.next === undefined) return { rows, next: undefined, mark };
      // Otherwise the walk would never end. The first key behind which to go on is the client's.
      assert(steps === 0 || isBehind(step.next, next ?? '', filter), 'a walk never goes back');
      next = step.next;
    }
    return { rows, next, mark };
  }

  private async step(filter: Filter, limit: number, room: Pick<Room, 'turn'>, after?: string): Promise<Rows> {
    const answer = await this.tarantool
      .call('kv.list', this.options(filter, limit, after))
      .catch(readFailure);
    const members = answer.arrayHeader();
    const outcome = answer.integer();
    if (outcome !== OUTCOME.OK) throw refusal(outcome);
    if (answer.left > ANSWER_SIZE.SMALL_BYTES) await room.turn();
    const rows = Array.from({ length: answer.arrayHeader() }, () =>
      isString(answer.peek())
        ? { prefix: answer.string() }
        : filter.keysOnly
          ? readKey(answer)
          : readTuple(answer),
    );
    const next = members > 2 && !answer.nil() ? answer.string() : undefined;
    return { rows, next, mark: members > 3 && !answer.nil() ? answer.integer() : undefined };
  }

  private options(filter: Filter, limit: number, after?: string): Buffer {
    const { prefix, start, end: end_, delimiter, reverse, keysOnly } = filter;
    const texts = Object.entries({ prefix, start, end_, delimiter, after }).filter(
      (option): option is [string, string] => option[1] !== undefined,
    );
    const args = this.args.begin(1).map(4 + texts.length);
    args.key('limit').integer(limit).key('max_bytes').integer(STEP_BYTES);
    args.key('reverse').boolean(reverse).key('keys_only').boolean(keysOnly);
    for (const [name, text] of texts) args.key(name).key(text);
    return args.bytes();
  }
}

/** Where the page behind this row begins. */
export function placeBehind(row: Row | CommonPrefix): string {
  return 'prefix' in row ? row.prefix + ALL_OF_PREFIX : row.key;
}

function bytesOf(row: Row | CommonPrefix): number {
  if ('prefix' in row) return row.prefix.length;
  return row.key.length + Buffer.byteLength(row.json ?? '');
}

/** In the order of the keys' bytes, which is not always that of their UTF-16 units. */
function isBehind(key: string, other: string, { delimiter, reverse }: Filter): boolean {
  if (delimiter !== undefined && key.endsWith(ALL_OF_PREFIX) && other.startsWith(key.slice(0, -1)))
    return true;
  const order = Buffer.compare(Buffer.from(key), Buffer.from(other));
  return reverse ? order < 0 : order > 0;
}

function readKey(answer: MsgpackReader): Row {
  const fields = answer.arrayHeader();
  const key = answer.string();
  return { key, ...readWritten(answer, fields - 1) };
}
