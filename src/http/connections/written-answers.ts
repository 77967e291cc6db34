import { STATUS_CODES } from 'node:http';
import { ENDED_REQUESTS } from '../ended-requests.js';
import type { EndedRequest } from '../ended-requests.js';
import { envelope, JSON_UTF8 } from '../envelope.js';
import { ERROR_TABLE, RETRY_AFTER_S } from '../error-table.js';
import type { HttpErrorCode } from '../http.errors.js';
import { newRequestId } from '../request-id.js';

/**
 * These answers hold nothing secret, and it is not known which page sent the request. So pages of any origin may read
 * them.
 */
const FIELDS_FOR_PAGES =
  'Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: Retry-After, X-Request-Id\r\n';

/**
 * The answers that are written to the socket by hand: to bytes that are no valid request, and to connections over the
 * limit.
 */
export class WrittenAnswers {
  private readonly forPages: string;

  /** Without configured origins, no page may read anything. */
  constructor(corsOrigins: readonly string[]) {
    this.forPages = corsOrigins.length > 0 ? FIELDS_FOR_PAGES : '';
  }

  /** The whole answer as text. It says that the connection is closed after it. */
  of(code: HttpErrorCode): string {
    const { status, message } = ERROR_TABLE[code];
    const ended: EndedRequest = { method: '', route: undefined, status, seconds: undefined };
    ENDED_REQUESTS.publish(ended);
    const body = envelope(message, status);
    const retry = status === 503 ? `Retry-After: ${RETRY_AFTER_S}\r\n` : '';
    return (
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${JSON_UTF8}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `X-Content-Type-Options: nosniff\r\nX-Request-Id: ${newRequestId()}\r\nCache-Control: no-cache\r\n` +
      `Date: ${new Date().toUTCString()}\r\n${this.forPages}${retry}Connection: close\r\n\r\n${body}`
    );
  }
}
