import type { Retry } from './retry.js';

/** An entry of the store, in the form in which it is answered. */
export interface Entry {
  /** The value as JSON text. It is never parsed into an object on the way out. */
  readonly json: string;
  readonly version: number;
  /** Milliseconds since the epoch, by the store's clock. Undefined for an entry that does not expire. */
  readonly expiresAt: number | undefined;
}

/** An entry with its value as MessagePack, which a patch is applied to. */
export interface EncodedEntry {
  readonly value: Buffer;
  readonly version: number;
}

/** What a write returns: the version that it gave the entry, and when the entry expires. */
export interface Written extends Omit<Entry, 'json'> {
  /** Whether this is the answer of an earlier time, and nothing was written now. */
  readonly isReplayed?: boolean;
}

/** The condition of a compare-and-set: `*` for any version, or a list of accepted versions. */
export type IfMatch = '*' | readonly number[];

/** Whether the condition accepts an existing entry of this version. */
export function includesVersion(versions: IfMatch, version: number): boolean {
  return versions === '*' || versions.includes(version);
}

/**
 * Whole seconds from now, or an absolute time. `keep` leaves the remaining time as it is. An entry without a Ttl does
 * not expire.
 */
export type Ttl = number | 'keep' | { readonly expiresAtMs: number };

export interface WriteOptions {
  readonly ttl?: Ttl | undefined;
  readonly ifMatch?: IfMatch | undefined;
  readonly retry?: Retry | undefined;
}
