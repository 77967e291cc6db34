import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { InjectThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config, ThrottleConfig } from '../config/config.js';
import { clientAddress } from './client-address.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';
import type { Hit } from './tarantool-throttler.storage.js';

/** Tells a client its rate, in the fields of draft-ietf-httpapi-ratelimit-headers-11. */
@Injectable()
export class RateLimitFields {
  private readonly throttle: ThrottleConfig;
  private readonly policy: string;

  constructor(
    config: ConfigService<Config, true>,
    @InjectThrottlerStorage() private readonly storage: TarantoolThrottlerStorage,
  ) {
    this.throttle = config.get('throttle', { infer: true });
    // In whole seconds (§4.1.3): a shorter window is rounded up, which promises less, not more.
    this.policy = `"default";q=${this.throttle.limit};w=${Math.ceil(this.throttle.windowMs / 1000)}`;
  }

  add(reply: FastifyReply, { totalHits, timeToExpire }: Hit): void {
    const left = Math.max(0, this.throttle.limit - totalHits);
    void reply.header('RateLimit-Policy', this.policy);
    void reply.header('RateLimit', `"default";r=${left};t=${timeToExpire}`);
  }

  /** For an answer under `/kv` that was given before the rate was counted. */
  addUncounted(request: FastifyRequest, reply: FastifyReply): void {
    const { limit, windowMs } = this.throttle;
    if (limit === 0 || reply.hasHeader('RateLimit') || !/^\/kv(?:[/?]|$)/.test(request.url)) return;
    this.add(reply, this.storage.peek(clientAddress(request), windowMs, limit));
  }
}
