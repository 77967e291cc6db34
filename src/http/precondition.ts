import type { IfMatch } from '../entries/entry.js';
import { KvError } from '../entries/kv.errors.js';
import { isVersion } from '../entries/version.js';

/**
 * The tokens of a list of entity tags (RFC 9110 §5.6.1.2, §8.8.3): white space, commas and tags. A comma within a tag
 * belongs to the tag. Node joins several lines of the field with commas.
 */
const TOKEN = /[\t ]+|,|(?:W\/)?"([\x21\x23-\x7e\x80-\xff]*)"/y;

/**
 * More than any client needs. The 16 KiB of the header would hold 5,000 tags, and the store compares all of them with
 * each write.
 */
export const MAX_ENTITY_TAGS = 128;

/**
 * Parses the versions that `If-Match` or `If-None-Match` names (RFC 9110 §13.1.1, §13.1.2). A tag that is no version
 * of ours matches nothing. Weak tags count in both fields, although §13.1.1 compares only strong ones. Our tag names
 * the version of an entry and not the bytes of a representation (§8.8.3.2), so a tag that a proxy has weakened still
 * means the same.
 * @throws {KvError} INVALID_PRECONDITION
 */
export function parseVersions(field: string | undefined): IfMatch | undefined {
  if (field === undefined) return undefined;
  const tags = parseTags(field);
  return tags === '*' ? '*' : tags.filter(isVersion).map(Number);
}

/**
 * On a write, `If-None-Match` may only be `*`: there must be no entry.
 * @throws {KvError} INVALID_PRECONDITION
 */
export function mustNotExist(field: string | undefined): boolean {
  if (field === undefined) return false;
  if (field.trim() !== '*') throw new KvError('INVALID_PRECONDITION');
  return true;
}

/** The text between the quotes of each tag. @throws {KvError} INVALID_PRECONDITION */
export function parseTags(field: string): '*' | string[] {
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
