import { Injectable } from '@nestjs/common';
import type { Access } from '../access/access.js';
import type { AnswerRoom } from '../answers/answer-room.js';
import { KvError } from '../entries/kv.errors.js';
import { START_OFFSET } from '../entries/offset.js';
import type { Offset } from '../entries/offset.js';
import { ChangeFeed } from '../feed/change-feed.js';
import type { Follower } from '../feed/follower.js';
import { ChangesService, offsetText } from './changes.service.js';
import type { MessagesPage } from './changes.service.js';
import type { ChangesQuery } from './changes-query.js';
import { COMMENT, event } from './event-stream.js';
import type { EventStream } from './event-stream.js';
import { controlMessage } from './messages.js';
import { streamCursor } from './stream-cursor.js';

const COMMENT_MS = 15_000;
/**
 * A stream is closed after this time, and a part of it by chance, so that clients spread over the processes again.
 */
const STREAM_MS = 300_000;
const JITTER = 0.2;

/** Tells clients of changes while they stay. */
@Injectable()
export class LiveChanges {
  constructor(
    private readonly feed: ChangeFeed,
    private readonly changes: ChangesService,
  ) {}

  /**
   * Waits for the next messages, for at most `timeoutMs`. Where there is none, the page is empty.
   * @throws as `ChangesService.page`; {KvError} TOO_MANY_WATCHERS
   */
  async poll(query: ChangesQuery, room: AnswerRoom, over: AbortSignal): Promise<MessagesPage> {
    const { offset, timeoutMs, ...wanted } = query;
    const deadline = performance.now() + timeoutMs;
    let page = await this.changes.page(offset, wanted, room);
    if (page.messages.length > 0) return page;
    const follower = this.feed.follow(wanted.prefix, over);
    try {
      for (;;) {
        const left = deadline - performance.now();
        if (page.messages.length > 0 || left <= 0 || this.feed.stopped.aborted || over.aborted) return page;
        room.giveBack();
        page = await this.changes.page(await this.advance(page, follower, left), wanted, room, true);
      }
    } finally {
      follower.close();
    }
  }

  /**
   * Sends messages until the client is gone, its token ends, the process stops, or the time of a stream is over. `open`
   * begins the answer, so what is thrown before can still be answered.
   * @throws as `poll`, but OFFSET_EXPIRED is told in the stream
   */
  async stream(
    query: ChangesQuery,
    room: AnswerRoom,
    access: Access,
    over: AbortSignal,
    open: () => EventStream,
  ): Promise<void> {
    const { offset, cursor, ...wanted } = query;
    const follower = this.feed.follow(wanted.prefix, over);
    const endsAt = performance.now() + STREAM_MS * (1 - JITTER * Math.random());
    const control = (page: MessagesPage): string => {
      const streamNextOffset = offsetText(page.next);
      const told = {
        streamNextOffset,
        streamCursor: streamCursor(cursor),
        upToDate: page.isUpToDate || undefined,
      };
      return event('control', JSON.stringify(told), streamNextOffset);
    };
    let stream: EventStream | undefined;
    try {
      let page = await this.changes.page(offset, wanted, room);
      access.check();
      stream = open();
      await stream.send(eventsOf(page) + control(page));
      while (!over.aborted && !this.feed.stopped.aborted && performance.now() < endsAt) {
        room.giveBack();
        const before = page;
        page = await this.changes.page(await this.advance(before, follower, COMMENT_MS), wanted, room, true);
        if (!access.isUsable) {
          page = before;
          break;
        }
        if (isNews(page, before)) {
          await stream.send(eventsOf(page) + control(page));
        } else if (before.isUpToDate) await stream.send(COMMENT);
      }
      stream.end(control(page));
    } catch (error) {
      if (error instanceof KvError && error.code === 'OFFSET_EXPIRED') (stream ?? open()).end(reset());
      else if (stream) stream.end();
      else throw error;
    } finally {
      follower.close();
    }
  }

  /** Where the next page begins. At the end of the log it waits for a change. */
  private async advance({ next, isUpToDate }: MessagesPage, follower: Follower, ms: number): Promise<Offset> {
    if (!isUpToDate || next.kind !== 'change') return next;
    return { kind: 'change', revision: await this.feed.next(follower, next.revision, ms) };
  }
}

/** Whether a client has to be told of this page. Behind a snapshot it may say no more than that nothing follows. */
function isNews({ messages, next, isUpToDate }: MessagesPage, before: MessagesPage): boolean {
  return (
    messages.length > 0 || isUpToDate !== before.isUpToDate || offsetText(next) !== offsetText(before.next)
  );
}

function eventsOf({ messages, next }: MessagesPage): string {
  return messages.length === 0 ? '' : event('data', `[${messages.join(',')}]`, offsetText(next));
}

/** Tells the client to forget what it holds. When it reconnects with this id, it begins with a snapshot. */
function reset(): string {
  const told = { reset: true, streamNextOffset: START_OFFSET };
  return (
    event('data', `[${controlMessage('reset', START_OFFSET)}]`, START_OFFSET) +
    event('control', JSON.stringify(told), START_OFFSET)
  );
}
