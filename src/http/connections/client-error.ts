import { STATUS_CODES } from 'node:http';
import { envelope, JSON_UTF8 } from '../envelope.js';
import { ERROR_TABLE, RETRY_AFTER_S } from '../error-table.js';
import type { HttpErrorCode } from '../http.errors.js';
import { newRequestId } from '../request-id.js';

/** How Node's HTTP parser names what it refuses (node:http, event `clientError`); anything else of its own is malformed. */
const PARSER_ERRORS: Readonly<Record<string, HttpErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE',
  HPE_INVALID_VERSION: 'VERSION_NOT_SUPPORTED',
  HPE_PAUSED_H2_UPGRADE: 'VERSION_NOT_SUPPORTED',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** A method in a request line (RFC 9112 §3): a token and a space. */
const METHOD_END = /^[\w!#$%&'*+.^`|~-]+ /;

/** What the parser had read of it when it knew that it is none of its own, and how far we look for the rest. */
const METHOD_START = /[\w!#$%&'*+.^`|~-]*$/;
const MAX_METHOD_BYTES = 64;

interface ParserError extends NodeJS.ErrnoException {
  readonly reason?: string;
  readonly bytesParsed?: number;
  readonly rawPacket?: Buffer;
}

/** Whether it is what came that failed, and not the connection. */
export function isParserError({ code }: ParserError): boolean {
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' || code?.startsWith('HPE_') === true;
}

/** Why the parser refused what came. */
export function parserErrorCode(error: ParserError): HttpErrorCode {
  const { code = '', reason = '' } = error;
  const known = PARSER_ERRORS[code];
  if (known) return known;
  const isUnknownMethod = code === 'HPE_INVALID_METHOD' && hasMethod(error);
  // Beside a length it is an attempt at smuggling, whatever the coding (RFC 9112 §6.1).
  const isUnknownCoding = code === 'HPE_INVALID_TRANSFER_ENCODING' && !reason.includes('Content-Length');
  return isUnknownMethod || isUnknownCoding ? 'NOT_IMPLEMENTED' : 'MALFORMED_REQUEST';
}

/** Answers what is not HTTP enough to become a request: the one answer that is written by hand. */
export function writtenAnswer(code: HttpErrorCode): string {
  const { status, message } = ERROR_TABLE[code];
  const body = envelope(message, status);
  const retry = status === 503 ? `Retry-After: ${RETRY_AFTER_S}\r\n` : '';
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${JSON_UTF8}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
    `X-Content-Type-Options: nosniff\r\nX-Request-Id: ${newRequestId()}\r\nCache-Control: no-cache\r\n` +
    `Date: ${new Date().toUTCString()}\r\n${retry}Connection: close\r\n\r\n${body}`
  );
}

function hasMethod({ rawPacket, bytesParsed: at = 0 }: ParserError): boolean {
  const before = rawPacket?.toString('latin1', Math.max(0, at - MAX_METHOD_BYTES), at) ?? '';
  const after = rawPacket?.toString('latin1', at, at + MAX_METHOD_BYTES) ?? '';
  return METHOD_END.test((METHOD_START.exec(before)?.[0] ?? '') + after);
}
