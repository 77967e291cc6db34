import { createHash } from 'node:crypto';

/**
 * Names what an answer says: its messages, and where its client continues. It is made of the bytes and not of the
 * offsets, so it also tells apart two pages of a snapshot that were read at different times, and the changes of a
 * store from those that it got instead when a backup was restored.
 */
export function pageTag(body: string, nextOffset: string, isUpToDate: boolean): string {
  return createHash('sha1').update(`${nextOffset} ${isUpToDate} `).update(body).digest('base64url');
}
