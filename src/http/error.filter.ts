import { Catch, HttpException, HttpStatus, Inject } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { KvError } from '../kv/kv.errors.js';
import { LOGGER } from '../logging/logger.js';
import type { Logger } from '../logging/logger.js';
import { Repeats } from '../logging/repeats.js';
import { allowedMethods } from './allowed-methods.js';
import { PROBLEM_JSON, prefersProblem } from './accept.js';
import { addVary } from './vary.js';
import { envelope, JSON_UTF8, problem } from './envelope.js';
import { ERROR_TABLE, RETRY_AFTER_S } from './error-table.js';
import type { ErrorCode } from './error-table.js';
import { HttpError } from './http.errors.js';
import { showVersion } from '../kv/version-fields.js';

/** Whatever fails while a request is handled ends here and leaves as `{message, status}`, or as problem details for who prefers them. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  private readonly repeats: Repeats;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {
    this.repeats = new Repeats(logger);
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();

    const refusal = toRefusal(error, request);
    const { status, message } = ERROR_TABLE[refusal.code];
    if (status >= HttpStatus.INTERNAL_SERVER_ERROR && this.repeats.allow(message)) {
      const level = refusal.code === 'INTERNAL' ? 'error' : 'warn';
      this.logger[level]({ reqId: request.id, err: error }, message);
    }
    if (status === HttpStatus.SERVICE_UNAVAILABLE) void reply.header('Retry-After', RETRY_AFTER_S);
    if (refusal instanceof KvError && refusal.code === 'PRECONDITION_FAILED' && refusal.presentVersion) {
      showVersion(reply, refusal.presentVersion);
    }
    if (refusal instanceof HttpError) void reply.headers(refusal.headers);
    addVary(reply, 'Accept');
    const failed = refusal instanceof KvError && refusal.failed ? { failed: refusal.failed } : {};
    if (prefersProblem(request.headers.accept)) {
      void reply
        .code(status)
        .header('Content-Type', `${PROBLEM_JSON}; charset=utf-8`)
        .send(problem(refusal.code, failed));
    } else
      void reply
        .code(status)
        .header('Content-Type', JSON_UTF8)
        .send(envelope(message, status, failed));
  }
}

function toRefusal(error: unknown, request: FastifyRequest): { code: ErrorCode } {
  if (error instanceof KvError || error instanceof HttpError) return error;
  if (error instanceof HttpException) return frameworkRefusal(error.getStatus(), request);
  return { code: 'INTERNAL' };
}

/** Nest and Fastify refuse by status alone: an unknown route, and a media type they cannot parse. */
function frameworkRefusal(status: number, request: FastifyRequest): { code: ErrorCode } {
  switch (status as HttpStatus) {
    case HttpStatus.NOT_FOUND: {
      const allow = allowedMethods(request);
      return allow ? new HttpError('METHOD_NOT_ALLOWED', { Allow: allow }) : { code: 'NOT_FOUND' };
    }
    case HttpStatus.UNSUPPORTED_MEDIA_TYPE:
      return { code: 'UNSUPPORTED_MEDIA_TYPE' };
    case HttpStatus.PAYLOAD_TOO_LARGE:
      return { code: 'BODY_TOO_LARGE' };
    case HttpStatus.BAD_REQUEST:
      return { code: 'MALFORMED_REQUEST' };
    default:
      return { code: 'INTERNAL' };
  }
}
