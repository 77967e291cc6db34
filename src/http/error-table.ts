import { HttpStatus } from '@nestjs/common';
import type { KvErrorCode } from '../entries/kv.errors.js';
import type { HttpErrorCode } from './http.errors.js';

export type ErrorCode = KvErrorCode | HttpErrorCode;

export interface ErrorAnswer {
  readonly status: number;
  readonly message: string;
  /** One sentence for people, shown in problem details. */
  readonly detail: string;
}

/**
 * Seconds after which a client should retry after a 503. The store restarts, and room is made, within about a second.
 */
export const RETRY_AFTER_S = '1';

/**
 * Every failure that a client can be told, and the only place where codes become statuses. The codes in lower case
 * are those of problem details. Clients rely on them for ever: a row may be added, but none may be renamed.
 */
export const ERROR_TABLE: Readonly<Record<ErrorCode, ErrorAnswer>> = {
  INVALID_BODY: {
    status: HttpStatus.BAD_REQUEST,
    message: 'invalid request body',
    detail: 'The body is not JSON that this request takes, or holds what could not be kept exactly.',
  },
  INVALID_QUERY: {
    status: HttpStatus.BAD_REQUEST,
    message: 'invalid query',
    detail: 'A parameter of the query is unknown, given twice, or out of its range.',
  },
  INVALID_CURSOR: {
    status: HttpStatus.BAD_REQUEST,
    message: 'invalid cursor',
    detail: 'The cursor is none that a page was answered with, or is of another walk.',
  },
  INVALID_OFFSET: {
    status: HttpStatus.BAD_REQUEST,
    message: 'invalid offset',
    detail: 'The offset is none that an answer about changes has told.',
  },
  INVALID_PRECONDITION: {
    status: HttpStatus.BAD_REQUEST,
    message: 'invalid precondition',
    detail: 'If-Match or If-None-Match is malformed, or not of the form that this request takes.',
  },
  INVALID_IDEMPOTENCY_KEY: {
    status: HttpStatus.BAD_REQUEST,
    message: 'invalid idempotency key',
    detail:
      'Idempotency-Key is not one String in double quotes with 1 to 255 characters, or the request takes no such key.',
  },
  INVALID_KEY: {
    status: HttpStatus.BAD_REQUEST,
    message: 'invalid key',
    detail:
      'The key is empty, too long, not well-formed, a control character is in it, or a URL cannot carry it.',
  },
  MALFORMED_REQUEST: {
    status: HttpStatus.BAD_REQUEST,
    message: 'malformed request',
    detail: 'The request is not well-formed HTTP.',
  },
  UNAUTHORIZED: {
    status: HttpStatus.UNAUTHORIZED,
    message: 'unauthorized',
    detail: 'The request shows no token in Authorization, or one that is not valid or not valid any more.',
  },
  FORBIDDEN: {
    status: HttpStatus.FORBIDDEN,
    message: 'forbidden',
    detail: 'The token has not the right that this request needs.',
  },
  CROSS_ORIGIN_REQUEST: {
    status: HttpStatus.FORBIDDEN,
    message: 'cross-origin request',
    detail: 'A page of another origin may not change anything here.',
  },
  KEY_NOT_FOUND: {
    status: HttpStatus.NOT_FOUND,
    message: 'key not found',
    detail: 'There is no entry with this key.',
  },
  TOKEN_NOT_FOUND: {
    status: HttpStatus.NOT_FOUND,
    message: 'token not found',
    detail: 'There is no token with this id.',
  },
  CHANGES_OFF: {
    status: HttpStatus.NOT_FOUND,
    message: 'the log of changes is off',
    detail: 'The store keeps no log of changes, so nobody can follow them.',
  },
  NOT_FOUND: { status: HttpStatus.NOT_FOUND, message: 'not found', detail: 'There is no such path.' },
  METHOD_NOT_ALLOWED: {
    status: HttpStatus.METHOD_NOT_ALLOWED,
    message: 'method not allowed',
    detail: 'The path has other methods: Allow lists them.',
  },
  REQUEST_TIMEOUT: {
    status: HttpStatus.REQUEST_TIMEOUT,
    message: 'request timeout',
    detail: 'The request did not arrive whole in time.',
  },
  KEY_EXISTS: {
    status: HttpStatus.CONFLICT,
    message: 'key already exists',
    detail: 'There is an entry with this key already.',
  },
  TRANSACTION_ABORTED: {
    status: HttpStatus.CONFLICT,
    message: 'transaction aborted',
    detail: 'A comparison does not hold, or an operation was refused: nothing was applied.',
  },
  TOO_MANY_TOKENS: {
    status: HttpStatus.CONFLICT,
    message: 'too many tokens',
    detail: 'There are as many tokens as there may be: delete some that nobody needs.',
  },
  PATCH_TEST_FAILED: {
    status: HttpStatus.CONFLICT,
    message: 'patch test failed',
    detail: 'A test of the patch does not hold.',
  },
  PATCH_CONFLICT: {
    status: HttpStatus.CONFLICT,
    message: 'conflict, try again',
    detail: 'Others changed the entry again and again: nothing was applied.',
  },
  OFFSET_EXPIRED: {
    status: HttpStatus.GONE,
    message: 'offset expired',
    detail: 'What changed behind this offset is no longer held: begin anew, without an offset.',
  },
  PRECONDITION_FAILED: {
    status: HttpStatus.PRECONDITION_FAILED,
    message: 'precondition failed',
    detail: 'The entry is not as If-Match or If-None-Match requires it.',
  },
  BODY_TOO_LARGE: {
    status: HttpStatus.PAYLOAD_TOO_LARGE,
    message: 'request body too large',
    detail: 'The body is larger than the service takes.',
  },
  VALUE_TOO_LARGE: {
    status: HttpStatus.PAYLOAD_TOO_LARGE,
    message: 'request body too large',
    detail: 'What the request makes or reads is larger than the service takes.',
  },
  MISDIRECTED_REQUEST: {
    status: HttpStatus.MISDIRECTED,
    message: 'misdirected request',
    detail: 'The service does not answer for the host that the request names.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: HttpStatus.UNSUPPORTED_MEDIA_TYPE,
    message: 'unsupported media type',
    detail: 'The body is not declared as JSON in UTF-8, or is coded.',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: HttpStatus.UNPROCESSABLE_ENTITY,
    message: 'idempotency key reused',
    detail: 'An earlier request with this Idempotency-Key was another one: nothing was applied.',
  },
  TOO_MANY_REQUESTS: {
    status: HttpStatus.TOO_MANY_REQUESTS,
    message: 'too many requests',
    detail: 'The client is over its rate: Retry-After says when to come back.',
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    message: 'request header fields too large',
    detail: 'The request line and the header fields are too large.',
  },
  INTERNAL: {
    status: HttpStatus.INTERNAL_SERVER_ERROR,
    message: 'internal server error',
    detail: 'A fault of the service.',
  },
  NOT_IMPLEMENTED: {
    status: HttpStatus.NOT_IMPLEMENTED,
    message: 'not implemented',
    detail: 'The service has no such method or transfer coding.',
  },
  STORAGE_UNAVAILABLE: {
    status: HttpStatus.SERVICE_UNAVAILABLE,
    message: 'storage unavailable',
    detail: 'The store cannot be asked or cannot write: certainly nothing was applied.',
  },
  TOO_BUSY: {
    status: HttpStatus.SERVICE_UNAVAILABLE,
    message: 'service busy',
    detail: 'Too many connections are open, or too much is held of unfinished bodies: nothing was applied.',
  },
  TOO_MANY_WATCHERS: {
    status: HttpStatus.SERVICE_UNAVAILABLE,
    message: 'too many watchers',
    detail: 'As many clients as this process may have follow the changes.',
  },
  TOO_MANY_IDEMPOTENCY_KEYS: {
    status: HttpStatus.SERVICE_UNAVAILABLE,
    message: 'too many idempotency keys',
    detail:
      'The store has no room for another Idempotency-Key until old ones have expired: nothing was applied.',
  },
  SHUTTING_DOWN: {
    status: HttpStatus.SERVICE_UNAVAILABLE,
    message: 'shutting down',
    detail: 'This process is stopping.',
  },
  OUTCOME_UNKNOWN: {
    status: HttpStatus.GATEWAY_TIMEOUT,
    message: 'outcome unknown',
    detail: 'The store was asked to write and has not answered: it may or may not have been applied.',
  },
  VERSION_NOT_SUPPORTED: {
    status: HttpStatus.HTTP_VERSION_NOT_SUPPORTED,
    message: 'http version not supported',
    detail: 'The service speaks HTTP/1.1 and HTTP/1.0.',
  },
};
