/** What a token may do: with the entries, with the tokens, and with the figures of the service. */
export const RIGHTS = ['read', 'write', 'admin', 'metrics'] as const;

export type Right = (typeof RIGHTS)[number];

/** Gives rights on all keys that begin with the prefix. An empty prefix is for every key. */
export interface Rule {
  readonly prefix: string;
  readonly rights: readonly Right[];
}

/**
 * Whether one rule gives the right on a key, or on all keys that begin with a prefix. Rights are decided here and
 * nowhere else. A right that is about no key is asked for with an empty prefix. All texts are well-formed, so that
 * comparing their UTF-16 units is comparing the bytes of their UTF-8.
 */
export function isAllowed(rules: readonly Rule[], right: Right, keyOrPrefix: string): boolean {
  return rules.some(({ prefix, rights }) => rights.includes(right) && keyOrPrefix.startsWith(prefix));
}
