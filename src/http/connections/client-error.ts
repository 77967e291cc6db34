import type { HttpErrorCode } from '../http.errors.js';

/**
 * The codes by which Node's HTTP parser names what it refuses (node:http, event `clientError`). Its other codes count
 * as malformed requests.
 */
const PARSER_ERRORS: Readonly<Record<string, HttpErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE',
  HPE_INVALID_VERSION: 'VERSION_NOT_SUPPORTED',
  HPE_PAUSED_H2_UPGRADE: 'VERSION_NOT_SUPPORTED',
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
};

/** A method in a request line (RFC 9112 §3): a token and a space. */
const METHOD_END = /^[\w!#$%&'*+.^`|~-]+ /;

/**
 * The part of an unknown method that the parser had read when it failed. The limit is how far we look for the rest.
 */
const METHOD_START = /[\w!#$%&'*+.^`|~-]*$/;
const MAX_METHOD_BYTES = 64;

interface ParserError extends NodeJS.ErrnoException {
  readonly reason?: string;
  readonly bytesParsed?: number;
  readonly rawPacket?: Buffer;
}

/** Whether what the client sent was at fault, and not the connection. */
export function isParserError({ code }: ParserError): boolean {
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' || code?.startsWith('HPE_') === true;
}

/** Why the parser refused the received bytes. */
export function parserErrorCode(error: ParserError): HttpErrorCode {
  const { code = '', reason = '' } = error;
  const known = PARSER_ERRORS[code];
  if (known) return known;
  const isUnknownMethod = code === 'HPE_INVALID_METHOD' && hasMethod(error);
  // A transfer coding beside a length is an attempt at request smuggling, whatever the coding (RFC 9112 §6.1).
  const isUnknownCoding = code === 'HPE_INVALID_TRANSFER_ENCODING' && !reason.includes('Content-Length');
  return isUnknownMethod || isUnknownCoding ? 'NOT_IMPLEMENTED' : 'MALFORMED_REQUEST';
}

function hasMethod({ rawPacket, bytesParsed: at = 0 }: ParserError): boolean {
  const before = rawPacket?.toString('latin1', Math.max(0, at - MAX_METHOD_BYTES), at) ?? '';
  const after = rawPacket?.toString('latin1', at, at + MAX_METHOD_BYTES) ?? '';
  return METHOD_END.test((METHOD_START.exec(before)?.[0] ?? '') + after);
}
