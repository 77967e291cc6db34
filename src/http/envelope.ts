import { ERROR_TABLE } from './error-table.js';
import type { ErrorCode } from './error-table.js';

export const JSON_UTF8 = 'application/json; charset=utf-8';

/** The body of every answer but a value's: these two members, and what only one kind of refusal has. */
export function envelope(message: string, status: number, others: object = {}): string {
  return JSON.stringify({ message, status, ...others });
}

/** Problem details (RFC 9457 §3.1), with our `code` and the envelope's `message` beside the members of the standard. */
export function problem(error: ErrorCode, others: object = {}): string {
  const { status, message, detail } = ERROR_TABLE[error];
  const code = error.toLowerCase();
  return JSON.stringify({
    type: `urn:problem-type:tarantool-kv:${code}`,
    title: message,
    status,
    detail,
    code,
    message,
    ...others,
  });
}

/** Of a refusal that has no code: it says no more than its status (RFC 9457 §4.2.1). */
export function problemOfStatus(message: string, status: number): string {
  return JSON.stringify({ type: 'about:blank', title: message, status, message });
}
