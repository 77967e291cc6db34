import type { IfMatch } from '../entries/entry.js';
import { KvError } from '../entries/kv.errors.js';
import { isVersion } from '../entries/version.js';

/**
 * What a list of entity tags consists of (RFC 9110 §5.6.1.2, §8.8.3): white space, commas, tags. Commas within a tag are part of
 * it. Node hands on several lines of a field as one, joined by commas.
 */
const TOKEN = /[\t ]+|,|(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/y;

/** More than anybody has use for. The header's 16 KiB would hold 5,000, to be compared in the store with each write. */
export const MAX_ENTITY_TAGS = 128;

/**
 * The versions that `If-Match` or `If-None-Match` names (RFC 9110 §13.1.1, §13.1.2). Tags that are no version of ours match nothing.
 * Weak tags count in both, which §13.1.1 does not have: our tag names the version of an entry and not the bytes of a
 * representation (§8.8.3.2), so one that a proxy weakened on its way says the same as before.
 * @throws {KvError} INVALID_PRECONDITION
 */
export function parseVersions(field: string | undefined): IfMatch | undefined {
  if (field === undefined) return undefined;
  const tags = parse(field);
  return tags === '*' ? '*' : tags.filter(isVersion).map(Number);
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

/** What is between the quotes of each tag. */
function parse(field: string): '*' | string[] {
  if (field.trim() === '*') return '*';
  const tags: string[] = [];
  let isAfterTag = false;
  for (TOKEN.lastIndex = 0; TOKEN.lastIndex < field.length;) {
    const [token, tag] = TOKEN.exec(field) ?? [];
    if (token === undefined) throw new KvError('INVALID_PRECONDITION');
    if (tag !== undefined) {
      if (isAfterTag || tags.length === MAX_ENTITY_TAGS) throw new KvError('INVALID_PRECONDITION');
      tags.push(tag);
    }
    if (tag !== undefined || token === ',') isAfterTag = tag !== undefined;
  }
  return tags;
}
