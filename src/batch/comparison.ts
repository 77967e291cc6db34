import type { JsonValue } from '../json/json.types.js';
import { KvError } from '../kv/kv.errors.js';
import { isObject } from './operation.js';

/** What a transaction asks of an entry before it does anything. Version 0 is that of an entry that is not there. */
export type Comparison =
  { readonly key: string; readonly exists: boolean } | { readonly key: string; readonly version: number };

const VERSION = /^(?:0|[1-9]\d{0,15})$/;

/** @throws {KvError} INVALID_BODY */
export function parseComparison(document: JsonValue): Comparison {
  if (!isObject(document)) throw new KvError('INVALID_BODY');
  const { key, exists, version, ...others } = document;
  if (typeof key !== 'string' || Object.keys(others).length > 0) throw new KvError('INVALID_BODY');
  if (typeof exists === 'boolean' && version === undefined) return { key, exists };
  if (typeof version === 'string' && VERSION.test(version) && exists === undefined) {
    return { key, version: Number(version) };
  }
  throw new KvError('INVALID_BODY');
}
