import { isObject } from '../json/is-object.js';
import type { JsonObject, JsonValue } from '../json/json.types.js';
import { either, isString, isWord, optional } from '../kv/dto/checks.js';
import { readMembers } from '../kv/dto/members.js';
import type { Members } from '../kv/dto/members.js';
import type { IfMatch, Ttl } from '../kv/entry.js';
import { KvError } from '../kv/kv.errors.js';
import { isTtl } from '../kv/ttl.js';

export type OperationName = 'get' | 'insert' | 'update' | 'upsert' | 'delete';

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
  readonly ttl?: Ttl;
  readonly if_match?: string;
}

const VERSION = /^[1-9]\d{0,15}$/;

const READ = { op: isString, key: isString };
const WRITE = { ...READ, if_match: optional(isVersion) };

/** The members of each operation. */
const FORMS: Readonly<Record<OperationName, Members<OperationDocument>>> = {
  get: READ,
  insert: { ...READ, value: isObject, ttl: optional(isTtl) },
  update: { ...WRITE, value: isObject, ttl: optional(either(isTtl, isWord('keep'))) },
  upsert: { ...WRITE, value: isObject, ttl: optional(either(isTtl, isWord('keep'))) },
  delete: WRITE,
};

/** @throws {KvError} INVALID_BODY */
export function parseOperation(document: JsonValue): Operation {
  const op = isObject(document) ? document['op'] : undefined;
  if (!isOperationName(op)) throw new KvError('INVALID_BODY');
  const { key, value, ttl, if_match: version } = readMembers(document, FORMS[op]);
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
