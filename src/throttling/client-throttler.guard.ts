import { Injectable } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { ThrottlerModuleOptions } from '@nestjs/throttler';
import { InjectThrottlerOptions, InjectThrottlerStorage, ThrottlerGuard } from '@nestjs/throttler';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config/config.js';
import { HttpError } from '../http/http.errors.js';
import { readFailure } from '../kv/storage-failure.js';
import { clientAddress } from './client-address.js';
import { RateLimitFields } from './rate-limit-fields.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';
import type { Hit } from './tarantool-throttler.storage.js';

/** What `@SkipThrottle()` sets for the throttler without a name (@nestjs/throttler, throttler.decorator). */
const SKIP_DEFAULT = 'THROTTLER:SKIPdefault';

/** Limits each client's rate. */
@Injectable()
export class ClientThrottlerGuard extends ThrottlerGuard {
  private readonly limit: number;
  private readonly windowMs: number;
  private readonly skipped = new Map<unknown, boolean>();

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() private readonly storage: TarantoolThrottlerStorage,
    reflector: Reflector,
    private readonly fields: RateLimitFields,
    config: ConfigService<Config, true>,
  ) {
    super(options, storage, reflector);
    ({ limit: this.limit, windowMs: this.windowMs } = config.get('throttle', { infer: true }));
  }

  /**
   * The stock guard looks up six kinds of metadata for each request, of which ours has one: whether the handler is left out.
   * @throws {HttpError} TOO_MANY_REQUESTS; {KvError} STORAGE_UNAVAILABLE when nobody can count.
   */
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.limit === 0 || this.isSkipped(context)) return true;
    const { req, res } = this.getRequestResponse(context) as { req: FastifyRequest; res: FastifyReply };
    const hit = await this.count(clientAddress(req));
    this.fields.add(res, hit);
    if (hit.isBlocked)
      throw new HttpError('TOO_MANY_REQUESTS', { 'Retry-After': String(hit.timeToBlockExpire) });
    return true;
  }

  private async count(client: string): Promise<Hit> {
    try {
      return await this.storage.increment(client, this.windowMs, this.limit);
    } catch (error) {
      return readFailure(error);
    }
  }

  private isSkipped(context: ExecutionContext): boolean {
    const handler = context.getHandler();
    let skipped = this.skipped.get(handler);
    if (skipped === undefined) {
      const metadata = this.reflector.getAllAndOverride<boolean>(SKIP_DEFAULT, [handler, context.getClass()]);
      skipped = metadata === true;
      this.skipped.set(handler, skipped);
    }
    return skipped;
  }
}
