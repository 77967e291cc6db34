/** What the store holds under a key, as it is answered. */
export interface Entry {
  /** The value as JSON text: it is never made an object on the way out. */
  readonly json: string;
  readonly version: number;
  /** Milliseconds since the epoch, by the store's clock; undefined for an entry that does not expire. */
  readonly expiresAt: number | undefined;
}

/** The value as MessagePack, for a patch. */
export interface EncodedEntry {
  readonly value: Buffer;
  readonly version: number;
}

/** What is left of a write: the version that it gave the entry, and when that expires. */
export type Written = Omit<Entry, 'json'>;

/** Compare-and-set: any version, or one of these. */
export type IfMatch = '*' | readonly number[];

/** Whether an entry of this version, which is there, is among them. */
export function includesVersion(versions: IfMatch, version: number): boolean {
  return versions === '*' || versions.includes(version);
}

/** Whole seconds from now, or an absolute end; `keep` leaves what remains. Without one an entry does not expire. */
export type Ttl = number | 'keep' | { readonly expiresAtMs: number };

export interface WriteOptions {
  readonly ttl?: Ttl | undefined;
  readonly ifMatch?: IfMatch | undefined;
}
