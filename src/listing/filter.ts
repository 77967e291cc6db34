/** Which entries a walk shows, and in which direction it goes. */
export interface Filter {
  readonly prefix?: string | undefined;
  /** Inclusive. */
  readonly start?: string | undefined;
  /** Exclusive. */
  readonly end?: string | undefined;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
}
