/** Which entries a walk shows, and in which direction it goes. */
export interface Filter {
  readonly prefix?: string | undefined;
  /** Inclusive. */
  readonly start?: string | undefined;
  /** Exclusive. */
  readonly end?: string | undefined;
  /** Keys that have it behind the prefix are shown as their common prefix up to there. */
  readonly delimiter?: string | undefined;
  readonly reverse: boolean;
  readonly keysOnly: boolean;
}
