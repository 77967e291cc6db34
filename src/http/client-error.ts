import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { envelope, JSON_UTF8 } from './envelope.js';
import { newRequestId } from './request-id.js';
import { ERROR_TABLE } from './error-table.js';
import type { ErrorCode } from './error-table.js';

/** How Node's HTTP parser names what it refuses (node:http, event `clientError`); anything else is malformed. */
const PARSER_ERRORS: Record<string, ErrorCode> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** Answers what is not HTTP enough to become a request: the one answer that is written by hand. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const { status, message } = ERROR_TABLE[PARSER_ERRORS[error.code ?? ''] ?? 'MALFORMED_REQUEST'];
  const body = envelope(message, status);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${JSON_UTF8}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `X-Content-Type-Options: nosniff\r\nX-Request-Id: ${newRequestId()}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}
