import type { Entry, Written } from '../entries/entry.js';
import type { KvError } from '../entries/kv.errors.js';
import type { OperationName } from './operation.js';

/** What has become of one operation of several. */
export type Result = ReadResult | WrittenResult | RefusedResult;

export interface ReadResult {
  readonly op: 'get';
  readonly entry: Entry;
}

export interface WrittenResult {
  readonly op: Exclude<OperationName, 'get'>;
  readonly written: Written;
  /** Of an upsert: whether there was no entry before. */
  readonly isCreated: boolean;
}

export interface RefusedResult {
  readonly error: KvError;
}
