import { checkKey } from '../entries/key.js';
import { KvError } from '../entries/kv.errors.js';
import { isList, isString } from '../http/bodies/checks.js';
import { readMembers } from '../http/bodies/members.js';
import type { Members } from '../http/bodies/members.js';
import type { JsonValue } from '../json/json.types.js';
import { RIGHTS } from './rule.js';
import type { Right, Rule } from './rule.js';

const MEMBERS: Members<{ prefix: string; rights: JsonValue[] }> = {
  prefix: isString,
  rights: isList(1, RIGHTS.length),
};

/** Rights that are about no key, so that a prefix could not bound them. */
const WITHOUT_KEYS: ReadonlySet<Right> = new Set(['admin', 'metrics']);

/**
 * Reads a rule that a client sent. A prefix has to be the beginning of keys that there may be.
 * @throws {KvError} INVALID_BODY
 */
export function parseRule(document: JsonValue, maxKeyBytes: number): Rule {
  const { prefix, rights } = readMembers(document, MEMBERS);
  if (!rights.every(isRight) || new Set(rights).size < rights.length) throw new KvError('INVALID_BODY');
  if (prefix !== '' && rights.some((right) => WITHOUT_KEYS.has(right))) throw new KvError('INVALID_BODY');
  checkPrefix(prefix, maxKeyBytes);
  return { prefix, rights };
}

function isRight(member: JsonValue): member is Right {
  return RIGHTS.includes(member as Right);
}

/** `.` is no key, and the beginning of many. */
function checkPrefix(prefix: string, maxKeyBytes: number): void {
  if (prefix === '' || /^\.{1,2}$/.test(prefix)) return;
  try {
    checkKey(prefix, maxKeyBytes);
  } catch {
    throw new KvError('INVALID_BODY');
  }
}
