import { ERROR_TABLE } from '../http/error-table.js';
import type { Entry, Written } from '../entries/entry.js';
import { KvError } from '../entries/kv.errors.js';
import { expiresAtMember } from '../http/expires-at.js';
import type { OperationName } from './operation.js';

const DONE: Readonly<Record<Exclude<OperationName, 'get' | 'upsert'>, string>> = {
  insert: 'inserted',
  update: 'updated',
  touch: 'touched',
  delete: 'deleted',
};

/**
 * A result is what the single request would have answered, in its body and its header: the status, the version, and when the entry
 * expires. As JSON text.
 */
export function readResult({ json, version, expiresAt }: Entry): string {
  return `{"value":${json},"status":200,"version":"${version}"${expiresAtMember(expiresAt)}}`;
}

export function writtenResult(
  op: Exclude<OperationName, 'get'>,
  { version, expiresAt }: Written,
  isCreated = false,
): string {
  const message = op === 'upsert' ? DONE[isCreated ? 'insert' : 'update'] : DONE[op];
  return `{"message":"${message}","status":200,"version":"${version}"${expiresAtMember(expiresAt)}}`;
}

/** @throws whatever is no refusal of the operation, but a fault of ours. */
export function refusedResult(error: unknown): string {
  if (!(error instanceof KvError)) throw error;
  const { status, message } = ERROR_TABLE[error.code];
  const version = error.presentVersion ? `,"version":"${error.presentVersion}"` : '';
  return `{"message":"${message}","status":${status}${version}}`;
}
