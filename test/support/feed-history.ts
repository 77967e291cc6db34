/** A change as a client is told of it. */
export interface ToldChange {
  readonly revision: number;
  readonly key: string;
  readonly operation: string;
  readonly version: number;
  /** The value as JSON text. Undefined for a removal. */
  readonly json: string | undefined;
  readonly expiresAt: string | undefined;
  readonly isExpiry: boolean;
}

/** One answer or event: what one client was told at once. */
export interface Delivery {
  /** Counts the connections of this client. */
  readonly connection: number;
  /** The revision of the offset that the client asked for when it made the connection. */
  readonly from: number;
  readonly changes: readonly ToldChange[];
  /** The revision of the offset from which the client would continue. */
  readonly next: number;
  /** The client was told that what follows its offset is no longer held. */
  readonly isGone: boolean;
}

/** What a writer was told of a write. A touch is not told its revision, but the version of the entry. */
export interface Acknowledged {
  readonly key: string;
  readonly revision: number | undefined;
  readonly version: number | undefined;
  readonly json: string | undefined;
  readonly expiresAt: string | undefined;
}

/** What one client that followed the changes of keys with a prefix saw, and what it should have seen. */
export interface FeedHistory {
  readonly prefix: string;
  readonly deliveries: readonly Delivery[];
  readonly acknowledged: readonly Acknowledged[];
  /** All changes of the log, read after the last write. */
  readonly reference: readonly ToldChange[];
  /** All changes behind this revision were still held at the end. */
  readonly held: number;
}

/** Names a change: an entry that expired may be removed and made anew with one revision. */
export function nameOf({ revision, key, operation }: ToldChange): string {
  return `${revision} ${operation} ${key}`;
}
