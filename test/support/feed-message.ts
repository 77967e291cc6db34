import type { ToldChange } from './feed-history.js';

/** A message of `GET /changes`. Control messages have no key. */
export interface FeedMessage {
  readonly key?: string;
  readonly value?: unknown;
  readonly version?: string;
  readonly expires_at?: string;
  readonly reason?: string;
  readonly headers: { readonly operation?: string; readonly txid?: string; readonly control?: string };
}

export function toldChanges(messages: readonly FeedMessage[]): ToldChange[] {
  return messages.flatMap(({ key, value, version, expires_at: expiresAt, reason, headers }) => {
    if (key === undefined) return [];
    return {
      revision: Number(headers.txid),
      key,
      operation: String(headers.operation),
      version: Number(version),
      json: value === undefined ? undefined : JSON.stringify(value),
      expiresAt,
      isExpiry: reason === 'expired',
    };
  });
}

/** The revision in an offset: of a change, or at which a snapshot began. */
export function revisionOf(offset: string): number {
  return Number(/^(?:0-)?(\d{20})/.exec(offset)?.[1] ?? 0);
}
