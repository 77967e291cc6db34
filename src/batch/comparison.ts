import { isVersion } from '../entries/version.js';
import { isObject } from '../json/is-object.js';
import type { JsonValue } from '../json/json.types.js';
import { isBoolean, isString } from '../http/bodies/checks.js';
import { readMembers } from '../http/bodies/members.js';
import type { Members } from '../http/bodies/members.js';

interface Existence {
  readonly key: string;
  readonly exists: boolean;
}

/**
 * A condition on one entry that a transaction checks before it does anything. The version of a missing entry is 0.
 */
export type Comparison = Existence | { readonly key: string; readonly version: number };

/** The members of each kind of comparison. */
const BY_EXISTENCE: Members<Existence> = { key: isString, exists: isBoolean };
const BY_VERSION: Members<{ key: string; version: string }> = { key: isString, version: isVersionOrZero };

/** @throws {KvError} INVALID_BODY */
export function parseComparison(document: JsonValue): Comparison {
  if (isObject(document) && Object.hasOwn(document, 'exists')) return readMembers(document, BY_EXISTENCE);
  const { key, version } = readMembers(document, BY_VERSION);
  return { key, version: Number(version) };
}

function isVersionOrZero(member: JsonValue | undefined): member is string {
  return typeof member === 'string' && (member === '0' || isVersion(member));
}
