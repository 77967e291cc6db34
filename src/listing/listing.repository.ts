import { Injectable } from '@nestjs/common';
import { ArgumentsWriter } from '../kv/arguments-writer.js';
import { readFailure } from '../kv/storage-failure.js';
import { readTuple } from '../kv/tuple.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import type { Filter } from './filter.js';

export interface Row {
  readonly key: string;
  readonly version: number;
  /** The value as JSON text; undefined where only keys were asked for. */
  readonly json?: string;
}

export interface Rows {
  readonly rows: Row[];
  /** The key behind which the next page begins; undefined at the end of the walk. */
  readonly next: string | undefined;
}

/** Pages of entries in the order of their keys' bytes (tarantool/kv/listing.lua). */
@Injectable()
export class ListingRepository {
  private readonly args = new ArgumentsWriter(1);

  constructor(private readonly tarantool: TarantoolClient) {}

  async list(filter: Filter, limit: number, maxBytes: number, after?: string): Promise<Rows> {
    const answer = await this.tarantool
      .call('kv.list', this.options(filter, limit, maxBytes, after))
      .catch(readFailure);
    const members = answer.arrayHeader();
    answer.integer();
    const rows = Array.from({ length: answer.arrayHeader() }, () =>
      filter.keysOnly ? readKey(answer) : readTuple(answer),
    );
    return { rows, next: members > 2 && !answer.nil() ? answer.string() : undefined };
  }

  private options(filter: Filter, limit: number, maxBytes: number, after?: string): Buffer {
    const { prefix, start, end: end_, reverse, keysOnly } = filter;
    const texts = Object.entries({ prefix, start, end_, after }).filter(
      (option): option is [string, string] => option[1] !== undefined,
    );
    const args = this.args.begin(1).map(4 + texts.length);
    args.key('limit').integer(limit).key('max_bytes').integer(maxBytes);
    args.key('reverse').boolean(reverse).key('keys_only').boolean(keysOnly);
    for (const [name, text] of texts) args.key(name).key(text);
    return args.bytes();
  }
}

function readKey(answer: MsgpackReader): Row {
  answer.arrayHeader();
  return { key: answer.string(), version: answer.integer() };
}
