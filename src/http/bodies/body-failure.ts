import type { IncomingMessage } from 'node:http';
import type { HttpError } from '../http.errors.js';

const failures = new WeakMap<IncomingMessage, HttpError>();

/** Records that the rest of this request's body will not arrive, and tells its reader, now or later. */
export function failBody(request: IncomingMessage, error: HttpError): void {
  failures.set(request, error);
  if (request.listenerCount('error') > 0) request.emit('error', error);
}

/** Why the rest of this request's body will not arrive. */
export function bodyFailure(request: IncomingMessage): HttpError | undefined {
  return failures.get(request);
}
