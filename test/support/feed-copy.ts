import type { ToldChange } from './feed-history.js';
import { toldChanges } from './feed-message.js';
import type { FeedMessage } from './feed-message.js';

/** A copy of the store that is made from messages. */
export class FeedCopy {
  /** The changes by which a key went back in time. */
  readonly wentBack: string[] = [];
  private readonly entries = new Map<string, string>();
  private readonly revisions = new Map<string, number>();

  apply(messages: readonly FeedMessage[]): void {
    for (const { key, value, version, expires_at: expiresAt, headers } of messages) {
      if (headers.control === 'reset') {
        this.entries.clear();
        this.revisions.clear();
      }
      if (key === undefined) continue;
      const revision = Number(headers.txid);
      if (revision < (this.revisions.get(key) ?? 0)) this.wentBack.push(`${key}: ${revision}`);
      this.revisions.set(key, revision);
      if (headers.operation === 'delete') this.entries.delete(key);
      else this.entries.set(key, JSON.stringify([version, value, expiresAt]));
    }
  }

  get(prefix = ''): string[] {
    return [...this.entries]
      .filter(([key]) => key.startsWith(prefix))
      .map(String)
      .toSorted();
  }
}

/** Asks until it is answered: a worker may still be connecting to the Tarantool that was started last. */
export async function getUntilAnswered(url: string): Promise<Response> {
  const deadline = performance.now() + 50_000;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.status === 200 || performance.now() > deadline) return answer ?? Response.error();
    await answer?.arrayBuffer();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Applies all changes behind an offset. Returns them, and the offset from which to continue. */
export async function catchUp(
  url: string,
  offset: string,
  copy: FeedCopy,
): Promise<{ changes: ToldChange[]; next: string }> {
  const changes: ToldChange[] = [];
  for (let next = offset; ;) {
    const answer = await getUntilAnswered(`${url}/changes?offset=${next}`);
    const messages = (await answer.json()) as FeedMessage[];
    copy.apply(messages);
    for (const change of toldChanges(messages)) changes.push(change);
    next = answer.headers.get('stream-next-offset') ?? '';
    if (answer.headers.get('stream-up-to-date') === 'true') return { changes, next };
  }
}

/** What a walk shows, and the offset from which to follow. */
export async function walk(url: string, limit = 1000): Promise<{ copy: FeedCopy; next: string }> {
  const copy = new FeedCopy();
  let next: string | undefined;
  for (let query: string | undefined = `limit=${limit}`; query !== undefined;) {
    const answer = await getUntilAnswered(`${url}/kv?${query}`);
    next ??= answer.headers.get('stream-next-offset') ?? '';
    const { items, next_cursor: cursor } = (await answer.json()) as {
      items: FeedMessage[];
      next_cursor: string | null;
    };
    copy.apply(items.map((item) => ({ ...item, headers: { operation: 'insert', txid: '0' } })));
    query = cursor === null ? undefined : `limit=${limit}&cursor=${encodeURIComponent(cursor)}`;
  }
  return { copy, next: next ?? '' };
}
