import { HttpStatus } from '@nestjs/common';
import { ERROR_TABLE } from './error-table.js';
import type { ErrorCode } from './error-table.js';

export const JSON_UTF8 = 'application/json; charset=utf-8';

/** The body of every answer except a value. `members`: further members as JSON text, with a comma in front. */
export function envelope(message: string, status: number, members = ''): string {
  return `{"message":${JSON.stringify(message)},"status":${status}${members}}`;
}

/** The envelope of a request that was carried out. */
export function done(message: string, members?: string): string {
  return envelope(message, HttpStatus.OK, members);
}

export function refused(error: ErrorCode, members?: string): string {
  const { status, message } = ERROR_TABLE[error];
  return envelope(message, status, members);
}

/** Problem details (RFC 9457 §3.1): the standard's members, our `code`, and the `message` of the envelope. */
export function problem(error: ErrorCode, members = ''): string {
  const { status, message, detail } = ERROR_TABLE[error];
  const code = error.toLowerCase();
  const type = `urn:problem-type:tarantool-kv:${code}`;
  return `${JSON.stringify({ type, title: message, status, detail, code, message }).slice(0, -1)}${members}}`;
}

/** Problem details of a refusal without a code, which say no more than its status (RFC 9457 §4.2.1). */
export function problemOfStatus(message: string, status: number): string {
  return JSON.stringify({ type: 'about:blank', title: message, status, message });
}
