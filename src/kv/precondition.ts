import type { IfMatch } from './entry.js';
import { KvError } from './kv.errors.js';

/** An entity tag (RFC 9110 §8.8.3), and one that is a version of ours. */
const ENTITY_TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;
const VERSION = /^[1-9]\d{0,15}$/;

interface EntityTag {
  readonly isWeak: boolean;
  readonly opaque: string;
}

/**
 * `If-Match` (RFC 9110 §13.1.1): compared strongly, so weak tags never match; neither do tags that are no version.
 * @throws {KvError} INVALID_PRECONDITION
 */
export function parseIfMatch(field: string | undefined): IfMatch | undefined {
  if (field === undefined) return undefined;
  const tags = parse(field);
  if (tags === '*') return '*';
  return tags
    .filter(({ isWeak, opaque }) => !isWeak && VERSION.test(opaque))
    .map(({ opaque }) => Number(opaque));
}

/**
 * Whether a representation of this version is what the client has (RFC 9110 §13.1.2, compared weakly).
 * @throws {KvError} INVALID_PRECONDITION
 */
export function matchesNone(field: string | undefined, version: number): boolean {
  if (field === undefined) return true;
  const tags = parse(field);
  return tags !== '*' && tags.every(({ opaque }) => opaque !== String(version));
}

/**
 * On a write, `If-None-Match` may only say that nothing must be there.
 * @throws {KvError} INVALID_PRECONDITION
 */
export function mustNotExist(field: string | undefined): boolean {
  if (field === undefined) return false;
  if (field.trim() !== '*') throw new KvError('INVALID_PRECONDITION');
  return true;
}

export function entityTag(version: number): string {
  return `"${version}"`;
}

function parse(field: string): '*' | EntityTag[] {
  if (field.trim() === '*') return '*';
  const tags = field.split(',').map((item) => ENTITY_TAG.exec(item.trim()));
  return tags.map((match) => {
    if (!match) throw new KvError('INVALID_PRECONDITION');
    return { isWeak: match[1] !== undefined, opaque: match[2] ?? '' };
  });
}
