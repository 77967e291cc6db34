import { Refusal } from '../entries/refusal.errors.js';

/** Why a request was refused before it reached the store. */
export type HttpErrorCode =
  | 'NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'CROSS_ORIGIN_REQUEST'
  | 'MISDIRECTED_REQUEST'
  | 'BODY_TOO_LARGE'
  | 'UNSUPPORTED_MEDIA_TYPE'
  | 'TOO_MANY_REQUESTS'
  | 'MALFORMED_REQUEST'
  | 'REQUEST_TIMEOUT'
  | 'HEADERS_TOO_LARGE'
  | 'NOT_IMPLEMENTED'
  | 'VERSION_NOT_SUPPORTED'
  | 'TOO_BUSY'
  | 'SHUTTING_DOWN'
  | 'INTERNAL';

export class HttpError extends Refusal<HttpErrorCode> {
  override readonly name = 'HttpError';

  constructor(
    code: HttpErrorCode,
    /** Fields of the answer that are known only where the request is refused, such as `Allow`. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(code);
  }
}
