/** What makes a write safe to repeat: the store keeps its answer under this key, and applies it once. */
export interface Retry {
  /** Who chose the key. Two clients never share one. Empty where clients are not told apart. */
  readonly client: string;
  readonly key: string;
  /** A hash of the request. Another request with the same key is refused. */
  readonly fingerprint: Buffer;
}
