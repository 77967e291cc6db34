import { done, refused } from '../http/envelope.js';
import { expiresAtMember } from '../http/expires-at.js';
import type { OperationName } from './operation.js';
import type { Result } from './result.js';

const DONE: Readonly<Record<Exclude<OperationName, 'get' | 'upsert'>, string>> = {
  insert: 'inserted',
  update: 'updated',
  touch: 'touched',
  delete: 'deleted',
};

/**
 * Renders a result as JSON text. It has what the answer to a single request has in its body and its header: the
 * status, the version, and when the entry expires.
 */
export function renderResult(result: Result): string {
  if ('error' in result) {
    const { code, presentVersion } = result.error;
    return refused(code, presentVersion ? `,"version":"${presentVersion}"` : '');
  }
  if ('entry' in result) {
    const { json, version, expiresAt } = result.entry;
    return `{"value":${json},"status":200,"version":"${version}"${expiresAtMember(expiresAt)}}`;
  }
  const { op, written, isCreated } = result;
  const message = op === 'upsert' ? DONE[isCreated ? 'insert' : 'update'] : DONE[op];
  return done(message, `,"version":"${written.version}"${expiresAtMember(written.expiresAt)}`);
}
