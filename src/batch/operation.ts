import type { Right } from '../access/rule.js';
import type { IfMatch, Ttl } from '../entries/entry.js';
import { KvError } from '../entries/kv.errors.js';
import { isTime, isTtl, readTtl, requireTtl } from '../entries/ttl.js';
import { either, isNull, isString, isWord, optional } from '../http/bodies/checks.js';
import { readMembers } from '../http/bodies/members.js';
import type { Check, Members } from '../http/bodies/members.js';
import { isVersion } from '../entries/version.js';
import { isObject } from '../json/is-object.js';
import type { JsonObject, JsonValue } from '../json/json.types.js';

/** One of several operations of a request. */
export type Operation = Get | Insert | Replace | Touch | Delete;

export type OperationName = Operation['op'];

interface Get {
  readonly op: 'get';
  readonly key: string;
}

interface Insert {
  readonly op: 'insert';
  readonly key: string;
  readonly value: JsonObject;
  readonly ttl: Ttl | undefined;
}

interface Replace {
  readonly op: 'update' | 'upsert';
  readonly key: string;
  readonly value: JsonObject;
  readonly ttl: Ttl | undefined;
  readonly ifMatch: IfMatch | undefined;
}

interface Touch {
  readonly op: 'touch';
  readonly key: string;
  readonly ttl: Ttl | undefined;
  readonly ifMatch: IfMatch | undefined;
}

interface Delete {
  readonly op: 'delete';
  readonly key: string;
  readonly ifMatch: IfMatch | undefined;
}

/** An operation on one entry that may set when the entry expires. */
interface WithEnd {
  readonly op: string;
  readonly key: string;
  readonly ttl?: number | 'keep' | null;
  readonly expires_at?: string | number;
}

type WithValue = WithEnd & { readonly value: JsonObject };
type Conditional = { readonly if_match?: string };

const isNewTtl: Check<number | 'keep' | undefined> = optional(either(isTtl, isWord('keep')));

// The members of each operation.
const GET: Members<Get> = { op: isWord('get'), key: isString };
const INSERT: Members<WithValue> = {
  op: isString,
  key: isString,
  value: isObject,
  ttl: optional(isTtl),
  expires_at: optional(isTime),
};
const REPLACE: Members<WithValue & Conditional> = { ...INSERT, ttl: isNewTtl, if_match: optional(isIfMatch) };
const TOUCH: Members<WithEnd & Conditional> = {
  op: isString,
  key: isString,
  ttl: optional(either(isTtl, isNull)),
  expires_at: optional(isTime),
  if_match: optional(isIfMatch),
};
const DELETE: Members<{ op: string; key: string } & Conditional> = {
  op: isString,
  key: isString,
  if_match: optional(isIfMatch),
};

/** How each operation is read. */
const READERS: { readonly [Name in OperationName]: (document: JsonValue) => Operation } = {
  get: (document) => readMembers(document, GET),
  insert: (document) => {
    const members = readMembers(document, INSERT);
    return { op: 'insert', key: members.key, value: members.value, ttl: readTtl(members) };
  },
  update: (document) => ({ op: 'update', ...readReplace(document) }),
  upsert: (document) => ({ op: 'upsert', ...readReplace(document) }),
  touch: (document) => {
    const members = readMembers(document, TOUCH);
    return { op: 'touch', key: members.key, ttl: requireTtl(members), ifMatch: readIfMatch(members) };
  },
  delete: (document) => {
    const members = readMembers(document, DELETE);
    return { op: 'delete', key: members.key, ifMatch: readIfMatch(members) };
  },
};

/** The right that an operation needs on its key. */
export function rightOf(op: OperationName): Right {
  return op === 'get' ? 'read' : 'write';
}

/** @throws {KvError} INVALID_BODY */
export function parseOperation(document: JsonValue): Operation {
  const op = isObject(document) ? document['op'] : undefined;
  if (!isOperationName(op)) throw new KvError('INVALID_BODY');
  return READERS[op](document);
}

function readReplace(document: JsonValue): Omit<Replace, 'op'> {
  const members = readMembers(document, REPLACE);
  return { key: members.key, value: members.value, ttl: readTtl(members), ifMatch: readIfMatch(members) };
}

function readIfMatch({ if_match: version }: Conditional): IfMatch | undefined {
  return version === undefined || version === '*' ? version : [Number(version)];
}

function isOperationName(op: JsonValue | undefined): op is OperationName {
  return typeof op === 'string' && Object.hasOwn(READERS, op);
}

/** `"*"`, or a version as answers show it: a string of digits. */
function isIfMatch(member: JsonValue | undefined): member is string {
  return typeof member === 'string' && (member === '*' || isVersion(member));
}
