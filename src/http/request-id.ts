import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** An id that a client may choose: visible characters that need no escaping in a log line or a header. */
const SANE_ID = /^[\w.:+/=@-]{1,128}$/;

const prefix = randomBytes(6).toString('base64url');
let count = 0;

/**
 * The first acceptable id in `X-Request-Id`, to which proxies may append their own. Otherwise a new id that is unique
 * over all processes.
 */
export function requestId(request: IncomingMessage): string {
  const sent = request.headers['x-request-id'];
  if (typeof sent !== 'string') return newRequestId();
  const sane = sent.split(',').find((id) => SANE_ID.test(id.trim()));
  return sane?.trim() ?? newRequestId();
}

export function newRequestId(): string {
  return `${prefix}-${(++count).toString(36)}`;
}
