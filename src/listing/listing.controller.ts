import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Answers } from '../answers/answers.js';
import { KvError } from '../kv/kv.errors.js';
import { checkEscapes, parseCount, parseFlag, parseText } from '../kv/query.js';
import { readCursor, writeCursor } from './cursor.js';
import type { Position } from './cursor.js';
import { ListingRepository } from './listing.repository.js';
import type { Row } from './listing.repository.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** A page as it is answered, in bytes. The frame around its items is small, and set aside. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const FRAME_BYTES = 16 * 1024;

const PARAMETERS = new Set(['prefix', 'start', 'end', 'limit', 'cursor', 'reverse', 'keys_only']);

type QueryParameters = Record<string, unknown>;

@Controller('kv')
export class ListingController {
  constructor(
    private readonly entries: ListingRepository,
    private readonly answers: Answers,
  ) {}

  @Get()
  async list(
    @Req() request: FastifyRequest<{ Querystring: QueryParameters }>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<string> {
    checkEscapes(request.url);
    const { query } = request;
    const { filter, after } = start(query);
    const limit = parseCount(query, 'limit', MAX_LIMIT) ?? DEFAULT_LIMIT;
    const room = this.answers.room(reply);
    await room.take(MAX_PAGE_BYTES);
    const { rows, next } = await this.entries.list(filter, limit, MAX_PAGE_BYTES, after);

    const { items, last } = fill(rows);
    // Entries may take more bytes as JSON than they do in the store: what no longer fits is the next page's.
    const following = last ?? next;
    const cursor = following === undefined ? null : writeCursor({ filter, after: following });
    void reply.header('Cache-Control', 'no-cache');
    if (cursor) void reply.header('Link', `</kv?cursor=${cursor}&limit=${limit}>; rel="next"`);
    return room.settle(`{"items":[${items.join(',')}],"next_cursor":${JSON.stringify(cursor)}}`);
  }
}

/** A cursor holds its filter: with one, the filter is not given again. */
function start(query: QueryParameters): Partial<Position> & Pick<Position, 'filter'> {
  if (Object.keys(query).some((name) => !PARAMETERS.has(name))) throw new KvError('INVALID_QUERY');
  const cursor = parseText(query, 'cursor');
  if (cursor !== undefined) {
    if (Object.keys(query).some((name) => name !== 'cursor' && name !== 'limit'))
      throw new KvError('INVALID_QUERY');
    return readCursor(cursor);
  }
  const [prefix, from, end] = ['prefix', 'start', 'end'].map((name) => parseText(query, name));
  return {
    filter: {
      prefix,
      start: from,
      end,
      reverse: parseFlag(query, 'reverse'),
      keysOnly: parseFlag(query, 'keys_only'),
    },
  };
}

/** As many rows as a page holds, and at least one. `last` is the last of them where some were left out. */
function fill(rows: Row[]): { items: string[]; last?: string } {
  const items: string[] = [];
  let bytes = FRAME_BYTES;
  for (const [i, { key, json, version }] of rows.entries()) {
    const value = json === undefined ? '' : `"value":${json},`;
    const item = `{"key":${JSON.stringify(key)},${value}"version":"${version}"}`;
    bytes += Buffer.byteLength(item) + 1;
    const before = rows[i - 1];
    if (bytes > MAX_PAGE_BYTES && before) return { items, last: before.key };
    items.push(item);
  }
  return { items };
}
