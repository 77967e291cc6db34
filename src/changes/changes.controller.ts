import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OutgoingHttpHeaders } from 'node:http';
import type { AnswerRoom } from '../answers/answer-room.js';
import { Answers } from '../answers/answers.js';
import { goneSignal } from '../answers/when-over.js';
import { NOW_OFFSET, START_OFFSET } from '../entries/offset.js';
import { ClientRate } from '../throttling/client-rate.js';
import { ChangesService, offsetText } from './changes.service.js';
import type { MessagesPage } from './changes.service.js';
import { readChangesQuery } from './changes-query.js';
import type { ChangesQuery } from './changes-query.js';
import { EventStream } from './event-stream.js';
import { LiveChanges } from './live-changes.js';
import { streamCursor } from './stream-cursor.js';

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
    const room = this.answers.room(reply);
    if (request.method === 'GET' && query.live === 'sse') return this.stream(request, reply, query, room);
    const page =
      request.method === 'GET' && query.live === 'long-poll'
        ? await this.live.poll(query, room, goneSignal(reply.raw))
        : await this.changes.page(query.offset, query, room);
    showPlace(reply, query, page);
    if (page.messages.length === 0 && query.live === 'long-poll') {
      void reply.code(204).removeHeader('content-type').send();
      return;
    }
    void reply.send(room.settle(`[${page.messages.join(',')}]`));
  }

  private stream(
    request: ChangesRequest,
    reply: FastifyReply,
    query: ChangesQuery,
    room: AnswerRoom,
  ): Promise<void> {
    const charge = (bytes: number): void => this.rate.owe(request, bytes);
    return this.live.stream(query, room, goneSignal(reply.raw), () => {
      reply.hijack();
      return new EventStream(reply.raw, reply.getHeaders() as OutgoingHttpHeaders, charge);
    });
  }
}

function showPlace(reply: FastifyReply, { cursor }: ChangesQuery, { next, isUpToDate }: MessagesPage): void {
  void reply.header('stream-next-offset', offsetText(next)).header('stream-cursor', streamCursor(cursor));
  if (isUpToDate) void reply.header('stream-up-to-date', 'true');
}
