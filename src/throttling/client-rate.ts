import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { InjectThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config, ThrottleConfig } from '../config/config.js';
import { HttpError } from '../http/http.errors.js';
import { readFailure } from '../kv/storage-failure.js';
import { clientAddress } from './client-address.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';
import type { Hit } from './tarantool-throttler.storage.js';

/** Where the rate is kept and told: the fields are those of draft-ietf-httpapi-ratelimit-headers-11. */
const COUNTED_PATHS = /^\/(?:kv|batch|txn)(?:[/?]|$)/;

/** What a client may still ask for. */
@Injectable()
export class ClientRate {
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

  /**
   * Counts requests of this client: all of them, or none where that is too many.
   * @throws {HttpError} TOO_MANY_REQUESTS; {KvError} STORAGE_UNAVAILABLE when nobody can count.
   */
  async charge(request: FastifyRequest, reply: FastifyReply, requests: number): Promise<void> {
    const { limit, windowMs } = this.throttle;
    if (limit === 0 || requests === 0) return;
    const hit = await this.count(clientAddress(request), windowMs, limit, requests);
    this.tell(reply, hit);
    if (hit.isBlocked)
      throw new HttpError('TOO_MANY_REQUESTS', { 'Retry-After': String(hit.timeToBlockExpire) });
  }

  /** For an answer that was given before the rate was counted. */
  tellUncounted(request: FastifyRequest, reply: FastifyReply): void {
    const { limit, windowMs } = this.throttle;
    if (limit === 0 || reply.hasHeader('RateLimit') || !COUNTED_PATHS.test(request.url)) return;
    this.tell(reply, this.storage.peek(clientAddress(request), windowMs, limit));
  }

  private async count(client: string, windowMs: number, limit: number, requests: number): Promise<Hit> {
    try {
      return await this.storage.take(client, windowMs, limit, requests);
    } catch (error) {
      return readFailure(error);
    }
  }

  private tell(reply: FastifyReply, { totalHits, timeToExpire }: Hit): void {
    const left = Math.max(0, this.throttle.limit - totalHits);
    void reply.header('RateLimit-Policy', this.policy);
    void reply.header('RateLimit', `"default";r=${left};t=${timeToExpire}`);
  }
}
