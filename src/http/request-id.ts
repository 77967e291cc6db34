import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What a client may choose: visible characters that need no escaping in a log line or a header. */
const SANE_ID = /^[\w.:+/=@-]{1,128}$/;

const prefix = randomBytes(6).toString('base64url');
let count = 0;

/** The client's own `X-Request-Id` where it sent a sane one, else one that is unique over all processes. */
export function requestId(request: IncomingMessage): string {
  const own = request.headers['x-request-id'];
  if (typeof own === 'string' && SANE_ID.test(own)) return own;
  return newRequestId();
}

export function newRequestId(): string {
  return `${prefix}-${(++count).toString(36)}`;
}
