import { Injectable } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { InjectThrottlerOptions, InjectThrottlerStorage, ThrottlerGuard } from '@nestjs/throttler';
import type { ThrottlerModuleOptions, ThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RouteFlag } from '../http/route-flag.js';
import { ClientRate } from './client-rate.js';

/**
 * The metadata that `@SkipThrottle()` sets for the throttler without a name (@nestjs/throttler, throttler.decorator).
 */
const SKIP_DEFAULT = 'THROTTLER:SKIPdefault';

const ALLOWED = Promise.resolve(true);

/** Counts each request to its client's rate before the request is looked at any further. */
@Injectable()
export class ClientThrottlerGuard extends ThrottlerGuard {
  private readonly skipped: RouteFlag;

  constructor(
    @InjectThrottlerOptions() options: ThrottlerModuleOptions,
    @InjectThrottlerStorage() storage: ThrottlerStorage,
    reflector: Reflector,
    private readonly rate: ClientRate,
  ) {
    super(options, storage, reflector);
    this.skipped = new RouteFlag(reflector, SKIP_DEFAULT);
  }

  /**
   * The stock guard looks up six kinds of metadata for each request. We use only one of them: whether the route is
   * not counted.
   */
  override canActivate(context: ExecutionContext): Promise<boolean> {
    const { req, res } = this.getRequestResponse(context) as { req: FastifyRequest; res: FastifyReply };
    if (this.skipped.isSet(context)) {
      this.rate.leaveOut(req);
      return ALLOWED;
    }
    return this.rate.charge(req, res)?.then(() => true) ?? ALLOWED;
  }
}
