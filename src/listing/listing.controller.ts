import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { accessOf } from '../access/access.js';
import { Answers } from '../answers/answers.js';
import { KvError } from '../entries/kv.errors.js';
import { changeOffset } from '../entries/offset.js';
import { checkEscapes, parseCount, parseFlag, parseText } from '../http/query.js';
import { expiresAtMember } from '../http/expires-at.js';
import { filterId, readCursor, writeCursor } from './cursor.js';
import type { Walk } from './cursor.js';
import type { Filter } from './filter.js';
import { ListingRepository, placeBehind } from './listing.repository.js';
import type { Row, Rows } from './listing.repository.js';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

/** The size of an answered page in bytes. The frame around the items is small, and is reserved. */
const MAX_PAGE_BYTES = 4 * 1024 * 1024;
const FRAME_BYTES = 16 * 1024;

/**
 * The longest key that MAX_KEY_BYTES allows, and one byte. With this bound a cursor fits into a request line, and
 * into 16 KiB of header.
 */
const MAX_BOUND_BYTES = 4097;

const MAX_DELIMITER_BYTES = 64;

const FILTER = ['prefix', 'start', 'end', 'delimiter', 'reverse', 'keys_only'];
const PARAMETERS = new Set([...FILTER, 'limit', 'cursor']);

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
    const { filter, filterId: id, after } = start(query);
    accessOf(request).require('read', filter.prefix ?? '');
    const limit = parseCount(query, 'limit', MAX_LIMIT) ?? DEFAULT_LIMIT;
    const room = this.answers.room(reply);
    await room.take(MAX_PAGE_BYTES);
    const { rows, next, mark } = await this.entries.list(filter, limit, MAX_PAGE_BYTES, room, after);
    // Whoever follows the changes from the first page on misses nothing. A later page would come too late.
    if (after === undefined && mark !== undefined)
      void reply.header('stream-next-offset', changeOffset(mark));

    const { items, prefixes, last } = fill(rows);
    // Entries may be longer as JSON than they are in the store. Entries that no longer fit go to the next page.
    const following = last ?? next;
    const cursor = following === undefined ? null : writeCursor({ filter, filterId: id, after: following });
    // The link is relative to the request (RFC 3986 §5.2), because a proxy may have removed the beginning of the
    // path.
    if (cursor) void reply.header('Link', `<?cursor=${cursor}&limit=${limit}>; rel="next"`);
    const shown = filter.delimiter === undefined ? '' : `"prefixes":${JSON.stringify(prefixes)},`;
    return room.settle(`{"items":[${items.join(',')}],${shown}"next_cursor":${JSON.stringify(cursor)}}`);
  }
}

/** Where the page begins. A cursor holds its filter. A client that also sends the filter has to send the same one. */
function start(query: QueryParameters): Walk & { after?: string } {
  if (Object.keys(query).some((name) => !PARAMETERS.has(name))) throw new KvError('INVALID_QUERY');
  const filter: Filter = {
    prefix: parseBound(query, 'prefix'),
    start: parseBound(query, 'start'),
    end: parseText(query, 'end') === '' ? '' : parseBound(query, 'end'),
    delimiter: parseBound(query, 'delimiter', MAX_DELIMITER_BYTES),
    reverse: parseFlag(query, 'reverse'),
    keysOnly: parseFlag(query, 'keys_only'),
  };
  const id = filterId(filter);
  const cursor = parseText(query, 'cursor');
  if (cursor === undefined) return { filter, filterId: id };
  const position = readCursor(cursor);
  if (FILTER.some((name) => query[name] !== undefined) && id !== position.filterId) {
    throw new KvError('INVALID_QUERY');
  }
  return position;
}

/** @throws {KvError} INVALID_QUERY for a bound longer than the longest key and the one byte that may follow it. */
function parseBound(query: QueryParameters, name: string, maxBytes = MAX_BOUND_BYTES): string | undefined {
  const text = parseText(query, name);
  if (text !== undefined && Buffer.byteLength(text) > maxBytes) throw new KvError('INVALID_QUERY');
  return text === '' ? undefined : text;
}

interface Page {
  readonly items: string[];
  readonly prefixes: string[];
  /** The place behind which the next page begins, where not all rows fit. */
  readonly last?: string;
}

/** Takes as many rows as fit on a page, and at least one. */
function fill(rows: Rows['rows']): Page {
  const items: string[] = [];
  const prefixes: string[] = [];
  let bytes = FRAME_BYTES;
  let last: string | undefined;
  for (const row of rows) {
    const text = 'prefix' in row ? JSON.stringify(row.prefix) : itemOf(row);
    bytes += Buffer.byteLength(text) + 1;
    if (bytes > MAX_PAGE_BYTES && last !== undefined) return { items, prefixes, last };
    if ('prefix' in row) prefixes.push(row.prefix);
    else items.push(text);
    last = placeBehind(row);
  }
  return { items, prefixes };
}

function itemOf({ key, json, version, expiresAt }: Row): string {
  const value = json === undefined ? '' : `"value":${json},`;
  return `{"key":${JSON.stringify(key)},${value}"version":"${version}"${expiresAtMember(expiresAt)}}`;
}
