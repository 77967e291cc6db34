/** What the store holds under a key, as it is answered. */
export interface Entry {
  /** The value as JSON text: it is never made an object on the way out. */
  readonly json: string;
}
