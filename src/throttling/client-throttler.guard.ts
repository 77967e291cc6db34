import { Injectable } from '@nestjs/common';
import type { ThrottlerModuleOptions, ThrottlerRequest } from '@nestjs/throttler';
import { InjectThrottlerOptions, InjectThrottlerStorage, ThrottlerGuard } from '@nestjs/throttler';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../http/http.errors.js';
import { readFailure } from '../kv/storage-failure.js';
import { clientAddress } from './client-address.js';
import { RateLimitFields } from './rate-limit-fields.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';

/** Limits each client's rate. */
@Injectable()
export class ClientThrottlerGuard extends ThrottlerGuard {
  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() private readonly storage: TarantoolThrottlerStorage,
    reflector: Reflector,
    private readonly fields: RateLimitFields,
  ) {
    super(options, storage, reflector);
  }

  /** @throws {HttpError} TOO_MANY_REQUESTS; {KvError} STORAGE_UNAVAILABLE when nobody can count. */
  protected override async handleRequest({ context, limit, ttl }: ThrottlerRequest): Promise<boolean> {
    const { req, res } = this.getRequestResponse(context) as { req: FastifyRequest; res: FastifyReply };
    const hit = await this.storage.increment(clientAddress(req), ttl, limit).catch(readFailure);
    this.fields.add(res, hit);
    if (hit.isBlocked)
      throw new HttpError('TOO_MANY_REQUESTS', { 'Retry-After': String(hit.timeToBlockExpire) });
    return true;
  }
}
