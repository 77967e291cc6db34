import { Injectable } from '@nestjs/common';
import type { LargeRoom } from '../answers/answer-room.js';
import { changeOffset, snapshotOffset } from '../entries/offset.js';
import type { Offset } from '../entries/offset.js';
import { ChangeFeed } from '../feed/change-feed.js';
import type { Change } from '../feed/change.js';
import type { Row } from '../listing/listing.repository.js';
import { ListingRepository } from '../listing/listing.repository.js';
import { ANSWER_SIZE } from '../store/answer-size.js';
import { changeMessage, controlMessage } from './messages.js';

/** Messages in the order of the log, as JSON texts. */
export interface MessagesPage {
  readonly messages: readonly string[];
  /** Where the client continues. */
  readonly next: Offset;
  readonly isUpToDate: boolean;
}

export interface Wanted {
  readonly prefix: string;
  readonly withValues: boolean;
}

/** About how many bytes a page has in the store. */
const PAGE_BYTES = 1024 * 1024;
const SNAPSHOT_ROWS = 1000;

/** Pages of what changed, and of the snapshot before that. */
@Injectable()
export class ChangesService {
  constructor(
    private readonly feed: ChangeFeed,
    private readonly entries: ListingRepository,
  ) {}

  /**
   * Takes room for what it reads from the store, and for a page that is large.
   * `isFollowing` is for those who wait for changes: what this process has read of the log is enough for them.
   * @throws {KvError} OFFSET_EXPIRED, CHANGES_OFF, STORAGE_UNAVAILABLE
   */
  async page(offset: Offset, wanted: Wanted, room: LargeRoom, isFollowing = false): Promise<MessagesPage> {
    switch (offset.kind) {
      case 'now':
        return this.changes(await this.feed.mark(), wanted, room, isFollowing);
      case 'start':
        return this.snapshot(await this.feed.mark(), undefined, wanted, room);
      case 'snapshot':
        // The rest of a snapshot is of no use to a client that could not follow it.
        await this.feed.requireHeld(offset.revision);
        return this.snapshot(offset.revision, offset.after, wanted, room);
      case 'change':
        return this.changes(offset.revision, wanted, room, isFollowing);
    }
  }

  private async changes(
    after: number,
    { prefix, withValues }: Wanted,
    room: LargeRoom,
    isFollowing: boolean,
  ): Promise<MessagesPage> {
    let page = this.feed.latest(after, prefix, PAGE_BYTES);
    const isEnough = page && (isFollowing || !page.isUpToDate || page.next >= (await this.feed.mark()));
    if (!page || !isEnough) {
      await room.takeFor(PAGE_BYTES);
      page = await this.feed.read(after, prefix, PAGE_BYTES);
    }
    const { changes, next, isUpToDate } = page;
    const messages = changes.map((change) => changeMessage(change, withValues));
    const bytes = messages.reduce((sum, message) => sum + Buffer.byteLength(message), 0);
    if (bytes > ANSWER_SIZE.SMALL_BYTES) await room.take(bytes);
    return { messages, next: { kind: 'change', revision: next }, isUpToDate };
  }

  /**
   * A page of the entries that have not changed since the snapshot began. What has changed since is told by the
   * changes that follow.
   */
  private async snapshot(
    revision: number,
    after: string | undefined,
    { prefix, withValues }: Wanted,
    room: LargeRoom,
  ): Promise<MessagesPage> {
    await room.takeFor(PAGE_BYTES);
    const filter = { prefix: prefix || undefined, reverse: false, keysOnly: !withValues };
    const { rows, next } = await this.entries.list(filter, SNAPSHOT_ROWS, PAGE_BYTES, room, after);
    const messages = rows
      .filter((row): row is Row => 'version' in row && row.version <= revision)
      .map(({ key, json, version, expiresAt }) => {
        const change: Change = {
          revision: version,
          key,
          operation: 'insert',
          json,
          version,
          expiresAt,
          isExpiry: false,
        };
        return changeMessage(change, withValues);
      });
    const offset = changeOffset(revision);
    if (after === undefined) messages.unshift(controlMessage('snapshot-start', offset));
    if (next !== undefined)
      return { messages, next: { kind: 'snapshot', revision, after: next }, isUpToDate: false };
    messages.push(controlMessage('snapshot-end', offset));
    return { messages, next: { kind: 'change', revision }, isUpToDate: false };
  }
}

/** The text of an offset that has a place. */
export function offsetText(offset: Offset): string {
  if (offset.kind === 'change') return changeOffset(offset.revision);
  if (offset.kind === 'snapshot') return snapshotOffset(offset.revision, offset.after);
  throw new TypeError(`an offset of the kind ${offset.kind} has no place`);
}
