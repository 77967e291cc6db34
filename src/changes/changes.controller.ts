import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OutgoingHttpHeaders } from 'node:http';
import type { AnswerRoom } from '../answers/answer-room.js';
import { accessOf } from '../access/access.js';
import { overSignal } from '../access/over-signal.js';
import { Answers } from '../answers/answers.js';
import { NOW_OFFSET, START_OFFSET } from '../entries/offset.js';
import { parseTags } from '../http/precondition.js';
import { addVary } from '../http/vary.js';
import { ClientRate } from '../throttling/client-rate.js';
import { ChangesService, offsetText } from './changes.service.js';
import type { MessagesPage } from './changes.service.js';
import { readChangesQuery } from './changes-query.js';
import type { ChangesQuery } from './changes-query.js';
import { EventStream } from './event-stream.js';
import { LiveChanges } from './live-changes.js';
import { pageTag } from './page-tag.js';
import { streamCursor } from './stream-cursor.js';

/**
 * What is behind such a page was there when it was read, so the page never changes (Durable Streams §10.1). Where
 * nobody needs a token, a shared cache may keep it too.
 */
const LASTING = 'max-age=60, stale-while-revalidate=300';
const PASSING = 'no-store';

type ChangesRequest = FastifyRequest<{ Querystring: Record<string, unknown> }>;

/** The read half of the Durable Streams protocol (§5.6 to §5.8) over the log of changes. */
@Controller('changes')
export class ChangesController {
  constructor(
    private readonly changes: ChangesService,
    private readonly live: LiveChanges,
    private readonly answers: Answers,
    private readonly rate: ClientRate,
  ) {}

  @Get()
  async read(@Req() request: ChangesRequest, @Res() reply: FastifyReply): Promise<void> {
    const lastEventId = request.headers['last-event-id'];
    // A client of the protocol asks by HEAD where the log ends (§5.5). No offset is in the middle of a snapshot then.
    const start = request.method === 'HEAD' ? NOW_OFFSET : START_OFFSET;
    const query = readChangesQuery(request.url, request.query, String(lastEventId ?? '') || undefined, start);
    const access = accessOf(request);
    access.require('read', query.prefix);
    const known = parseTags(request.headers['if-none-match'] ?? '');
    const room = this.answers.room(reply);
    if (request.method === 'GET' && query.live === 'sse') return this.stream(request, reply, query, room);
    const page =
      request.method === 'GET' && query.live === 'long-poll'
        ? await this.live.poll(query, room, overSignal(reply.raw, access))
        : await this.changes.page(query.offset, query, room);
    access.check();
    showPlace(reply, query, page);
    if (page.messages.length === 0 && query.live === 'long-poll') {
      void reply.code(204).removeHeader('content-type').header('cache-control', PASSING).send();
      return;
    }
    const body = `[${page.messages.join(',')}]`;
    const tag = showTag(request, reply, query, page, body);
    if (tag === undefined || (known !== '*' && !known.includes(tag))) {
      void reply.send(room.settle(body));
      return;
    }
    // The page was read although it is not sent, so its bytes count.
    this.rate.owe(request, Buffer.byteLength(body));
    void reply.code(304).removeHeader('content-type').send();
  }

  private stream(
    request: ChangesRequest,
    reply: FastifyReply,
    query: ChangesQuery,
    room: AnswerRoom,
  ): Promise<void> {
    const charge = (bytes: number): void => this.rate.owe(request, bytes);
    const access = accessOf(request);
    return this.live.stream(query, room, access, overSignal(reply.raw, access), () => {
      reply.hijack();
      return new EventStream(reply.raw, reply.getHeaders() as OutgoingHttpHeaders, charge);
    });
  }
}

function showPlace(reply: FastifyReply, { cursor }: ChangesQuery, { next, isUpToDate }: MessagesPage): void {
  void reply.header('stream-next-offset', offsetText(next)).header('stream-cursor', streamCursor(cursor));
  if (isUpToDate) void reply.header('stream-up-to-date', 'true');
}

/** Tells caches how long the page lasts. A page that depends on when it was asked for has no tag. */
function showTag(
  request: FastifyRequest,
  reply: FastifyReply,
  { offset: { kind } }: ChangesQuery,
  { next, isUpToDate }: MessagesPage,
  body: string,
): string | undefined {
  if (kind === 'now') {
    void reply.header('cache-control', PASSING);
    return undefined;
  }
  if (kind === 'change' && !isUpToDate) showLasting(request, reply);
  const tag = pageTag(body, offsetText(next), isUpToDate);
  void reply.header('etag', `"${tag}"`);
  return tag;
}

/** A page may be for some tokens only, so no cache may hand it to another. */
function showLasting({ access }: FastifyRequest, reply: FastifyReply): void {
  void reply.header('cache-control', access ? `private, ${LASTING}` : LASTING);
  if (access) addVary(reply, 'Authorization');
}
