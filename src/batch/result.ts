import type { Entry, Written } from '../entries/entry.js';
import type { KvError } from '../entries/kv.errors.js';
import type { OperationName } from './operation.js';

/** The result of one operation in a batch or transaction. */
export type Result = ReadResult | WrittenResult | RefusedResult;

interface ReadResult {
  readonly op: 'get';
  readonly entry: Entry;
}

export interface WrittenResult {
  readonly op: Exclude<OperationName, 'get'>;
  readonly written: Written;
  /** For an upsert: whether it created the entry. */
  readonly isCreated: boolean;
}

interface RefusedResult {
  readonly error: KvError;
}
