import type { JsonObject, JsonValue } from '../json/json.types.js';
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

interface Form {
  readonly hasValue: boolean;
  readonly optional: readonly string[];
}

/** The members of each operation beside `op` and `key`. */
const FORMS: Readonly<Record<OperationName, Form>> = {
  get: { hasValue: false, optional: [] },
  insert: { hasValue: true, optional: ['ttl'] },
  update: { hasValue: true, optional: ['ttl', 'if_match'] },
  upsert: { hasValue: true, optional: ['ttl', 'if_match'] },
  delete: { hasValue: false, optional: ['if_match'] },
};

const VERSION = /^[1-9]\d{0,15}$/;

/** @throws {KvError} INVALID_BODY */
export function parseOperation(document: JsonValue): Operation {
  if (!isObject(document)) throw new KvError('INVALID_BODY');
  const { op, key, value, ttl, if_match: ifMatch, ...others } = document;
  const form = typeof op === 'string' && Object.hasOwn(FORMS, op) ? FORMS[op as OperationName] : undefined;
  if (!form || typeof key !== 'string' || Object.keys(others).length > 0) throw new KvError('INVALID_BODY');
  if (form.hasValue !== (value !== undefined)) throw new KvError('INVALID_BODY');
  if (value !== undefined && !isObject(value)) throw new KvError('INVALID_BODY');
  if (
    ttl !== undefined &&
    !(form.optional.includes('ttl') && (isTtl(ttl) || (ttl === 'keep' && op !== 'insert')))
  ) {
    throw new KvError('INVALID_BODY');
  }
  if (ifMatch !== undefined && !form.optional.includes('if_match')) throw new KvError('INVALID_BODY');
  return {
    op: op as OperationName,
    key,
    ...(value !== undefined && { value }),
    ...(ttl !== undefined && { ttl: ttl as Ttl }),
    ...(ifMatch !== undefined && { ifMatch: parseVersion(ifMatch) }),
  };
}

/** `"*"`, or a version as answers show it: a string of digits. */
function parseVersion(document: JsonValue): IfMatch {
  if (document === '*') return '*';
  if (typeof document !== 'string' || !VERSION.test(document)) throw new KvError('INVALID_BODY');
  return [Number(document)];
}

export function isObject(document: JsonValue | undefined): document is JsonObject {
  return typeof document === 'object' && document !== null && !Array.isArray(document);
}
