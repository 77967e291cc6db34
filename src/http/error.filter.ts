import { Catch, HttpException, HttpStatus, Inject } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from 'node:http';
import { KvError } from '../entries/kv.errors.js';
import { LOGGER } from '../logging/logger.js';
import type { Logger } from '../logging/logger.js';
import { Repeats } from '../logging/repeats.js';
import { allowedMethods } from './allowed-methods.js';
import { PROBLEM_JSON, prefersProblem } from './accept.js';
import { addVary } from './vary.js';
import { envelope, JSON_UTF8, problem, problemOfStatus } from './envelope.js';
import { ERROR_TABLE, RETRY_AFTER_S } from './error-table.js';
import type { ErrorCode } from './error-table.js';
import { HttpError } from './http.errors.js';
import { showVersion } from './version-fields.js';

/** Statuses from 500 on that describe the request and not a fault of the service. */
const CLIENTS_OWN: ReadonlySet<number> = new Set([501, 505]);

/**
 * Our codes for the refusals of Nest and Fastify. Other refusals keep their status, with its reason phrase as the
 * message.
 */
const FRAMEWORK_CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'MALFORMED_REQUEST',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_MEDIA_TYPE',
  500: 'INTERNAL',
};

/** A refusal that has a status but no code. */
interface Uncoded {
  readonly status: number;
  readonly message: string;
}

/** Turns every failure of a request into the envelope, or into problem details for clients that prefer them. */
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
    const { status, message } = 'code' in refusal ? ERROR_TABLE[refusal.code] : refusal;
    if (status >= 500 && !CLIENTS_OWN.has(status) && this.repeats.allow(message)) {
      const level = status === Number(HttpStatus.INTERNAL_SERVER_ERROR) ? 'error' : 'warn';
      this.logger[level]({ reqId: request.id, err: error }, message);
    }
    if (status === HttpStatus.SERVICE_UNAVAILABLE) void reply.header('Retry-After', RETRY_AFTER_S);
    if (status === HttpStatus.UNAUTHORIZED) void reply.header('WWW-Authenticate', 'Bearer');
    if (refusal instanceof KvError && refusal.code === 'PRECONDITION_FAILED' && refusal.presentVersion) {
      showVersion(reply, refusal.presentVersion);
    }
    if (refusal instanceof HttpError) void reply.headers(refusal.headers);
    addVary(reply, 'Accept');
    const failed =
      refusal instanceof KvError && refusal.failed ? `,"failed":${JSON.stringify(refusal.failed)}` : '';
    if (prefersProblem(request.headers.accept)) {
      void reply
        .code(status)
        .header('Content-Type', `${PROBLEM_JSON}; charset=utf-8`)
        .send('code' in refusal ? problem(refusal.code, failed) : problemOfStatus(message, status));
    } else
      void reply
        .code(status)
        .header('Content-Type', JSON_UTF8)
        .send(envelope(message, status, failed));
  }
}

function toRefusal(error: unknown, request: FastifyRequest): { code: ErrorCode } | Uncoded {
  if (error instanceof KvError || error instanceof HttpError) return error;
  if (error instanceof HttpException) return frameworkRefusal(error.getStatus(), request);
  return { code: 'INTERNAL' };
}

/**
 * Nest and Fastify refuse by status alone, for example an unknown route or a media type that they cannot parse. A
 * path or method without a route is decided first: for such a request nothing else matters.
 */
function frameworkRefusal(status: number, request: FastifyRequest): { code: ErrorCode } | Uncoded {
  const allow = allowedMethods(request);
  if (allow === undefined) return { code: 'NOT_FOUND' };
  if (!allow.split(', ').includes(request.method))
    return new HttpError('METHOD_NOT_ALLOWED', { Allow: allow });
  const code = FRAMEWORK_CODES[status];
  if (code) return { code };
  const reason = status >= 400 ? STATUS_CODES[status] : undefined;
  return reason ? { status, message: reason.toLowerCase() } : { code: 'INTERNAL' };
}
