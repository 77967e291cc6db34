import { HttpStatus } from '@nestjs/common';
import type { KvErrorCode } from '../kv/kv.errors.js';
import type { HttpErrorCode } from './http.errors.js';

export type ErrorCode = KvErrorCode | HttpErrorCode;

export interface ErrorAnswer {
  readonly status: number;
  readonly message: string;
}

/** Every failure that a client can be told of, in the one place that turns codes into statuses. */
export const ERROR_TABLE: Readonly<Record<ErrorCode, ErrorAnswer>> = {
  INVALID_BODY: { status: HttpStatus.BAD_REQUEST, message: 'invalid request body' },
  INVALID_QUERY: { status: HttpStatus.BAD_REQUEST, message: 'invalid query' },
  INVALID_CURSOR: { status: HttpStatus.BAD_REQUEST, message: 'invalid cursor' },
  INVALID_PRECONDITION: { status: HttpStatus.BAD_REQUEST, message: 'invalid precondition' },
  INVALID_KEY: { status: HttpStatus.BAD_REQUEST, message: 'invalid key' },
  MALFORMED_REQUEST: { status: HttpStatus.BAD_REQUEST, message: 'malformed request' },
  CROSS_ORIGIN_REQUEST: { status: HttpStatus.FORBIDDEN, message: 'cross-origin request' },
  KEY_NOT_FOUND: { status: HttpStatus.NOT_FOUND, message: 'key not found' },
  NOT_FOUND: { status: HttpStatus.NOT_FOUND, message: 'not found' },
  METHOD_NOT_ALLOWED: { status: HttpStatus.METHOD_NOT_ALLOWED, message: 'method not allowed' },
  REQUEST_TIMEOUT: { status: HttpStatus.REQUEST_TIMEOUT, message: 'request timeout' },
  KEY_EXISTS: { status: HttpStatus.CONFLICT, message: 'key already exists' },
  PATCH_TEST_FAILED: { status: HttpStatus.CONFLICT, message: 'patch test failed' },
  PATCH_CONFLICT: { status: HttpStatus.CONFLICT, message: 'conflict, try again' },
  PRECONDITION_FAILED: { status: HttpStatus.PRECONDITION_FAILED, message: 'precondition failed' },
  BODY_TOO_LARGE: { status: HttpStatus.PAYLOAD_TOO_LARGE, message: 'request body too large' },
  VALUE_TOO_LARGE: { status: HttpStatus.PAYLOAD_TOO_LARGE, message: 'request body too large' },
  MISDIRECTED_REQUEST: { status: HttpStatus.MISDIRECTED, message: 'misdirected request' },
  UNSUPPORTED_MEDIA_TYPE: { status: HttpStatus.UNSUPPORTED_MEDIA_TYPE, message: 'unsupported media type' },
  TOO_MANY_REQUESTS: { status: HttpStatus.TOO_MANY_REQUESTS, message: 'too many requests' },
  HEADERS_TOO_LARGE: { status: 431, message: 'request header fields too large' },
  INTERNAL: { status: HttpStatus.INTERNAL_SERVER_ERROR, message: 'internal server error' },
  STORAGE_UNAVAILABLE: { status: HttpStatus.SERVICE_UNAVAILABLE, message: 'storage unavailable' },
  SHUTTING_DOWN: { status: HttpStatus.SERVICE_UNAVAILABLE, message: 'shutting down' },
  OUTCOME_UNKNOWN: { status: HttpStatus.GATEWAY_TIMEOUT, message: 'outcome unknown' },
};
