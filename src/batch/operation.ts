import { isObject } from '../json/is-object.js';
import type { JsonObject, JsonValue } from '../json/json.types.js';
import { either, isNull, isString, isWord, optional } from '../http/bodies/checks.js';
import { readMembers } from '../http/bodies/members.js';
import type { Members } from '../http/bodies/members.js';
import type { IfMatch, Ttl } from '../entries/entry.js';
import { KvError } from '../entries/kv.errors.js';
import { isTime, isTtl, readTtl, requireTtl } from '../entries/ttl.js';

export type OperationName = 'get' | 'insert' | 'update' | 'upsert' | 'touch' | 'delete';

/** One of several operations; which members it has is said by FORMS. */
export interface Operation {
  readonly op: OperationName;
  readonly key: string;
  readonly value?: JsonObject;
  readonly ttl?: Ttl;
  readonly ifMatch?: IfMatch;
}

/** An operation as it is sent. */
interface OperationDocument {
  readonly op: string;
  readonly key: string;
  readonly value?: JsonObject;
  readonly ttl?: number | 'keep' | null;
  readonly expires_at?: string | number;
  readonly if_match?: string;
}

const VERSION = /^[1-9]\d{0,15}$/;

const READ = { op: isString, key: isString };
const WRITE = { ...READ, if_match: optional(isVersion) };
const REPLACE = {
  ...WRITE,
  value: isObject,
  ttl: optional(either(isTtl, isWord('keep'))),
  expires_at: optional(isTime),
};

/** The members of each operation. */
const FORMS: Readonly<Record<OperationName, Members<OperationDocument>>> = {
  get: READ,
  insert: { ...READ, value: isObject, ttl: optional(isTtl), expires_at: optional(isTime) },
  update: REPLACE,
  upsert: REPLACE,
  touch: { ...WRITE, ttl: optional(either(isTtl, isNull)), expires_at: optional(isTime) },
  delete: WRITE,
};

/** @throws {KvError} INVALID_BODY */
export function parseOperation(document: JsonValue): Operation {
  const op = isObject(document) ? document['op'] : undefined;
  if (!isOperationName(op)) throw new KvError('INVALID_BODY');
  const members = readMembers(document, FORMS[op]);
  const { key, value, if_match: version } = members;
  const ttl = op === 'touch' ? requireTtl(members) : readTtl(members);
  return {
    op,
    key,
    ...(value !== undefined && { value }),
    ...(ttl !== undefined && { ttl }),
    ...(version !== undefined && { ifMatch: version === '*' ? version : [Number(version)] }),
  };
}

function isOperationName(op: JsonValue | undefined): op is OperationName {
  return typeof op === 'string' && Object.hasOwn(FORMS, op);
}

/** `"*"`, or a version as answers show it: a string of digits. */
function isVersion(member: JsonValue | undefined): member is string {
  return typeof member === 'string' && (member === '*' || VERSION.test(member));
}
