import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import { InjectThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config, ThrottleConfig } from '../config/config.js';
import { HttpError } from '../http/http.errors.js';
import { readFailure } from '../kv/storage-failure.js';
import { ClientAddresses } from './client-address.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';
import type { Hit } from './tarantool-throttler.storage.js';

/** Where the rate is kept and told: the fields are those of draft-ietf-httpapi-ratelimit-headers-11. */
const COUNTED_PATHS = /^\/(?:kv|batch|txn)(?:[/?]|$)/;

/** What a client may still ask for. */
@Injectable()
export class ClientRate {
  private readonly throttle: ThrottleConfig;
  private readonly policy: string;
  private readonly addresses: ClientAddresses;
  private turnEnds: Promise<void> | undefined;

  constructor(
    config: ConfigService<Config, true>,
    @InjectThrottlerStorage() private readonly storage: TarantoolThrottlerStorage,
  ) {
    this.throttle = config.get('throttle', { infer: true });
    this.addresses = new ClientAddresses(config.get('http', { infer: true }).trustedProxies);
    // In whole seconds (§4.1.3): a shorter window is rounded up, which promises less, not more.
    this.policy = `"default";q=${this.throttle.limit};w=${Math.ceil(this.throttle.windowMs / 1000)}`;
  }

  /**
   * Counts requests of this client: all of them, or none where that is too many. No promise where it goes ahead and the store need
   * not be asked.
   * @throws {HttpError} TOO_MANY_REQUESTS; {KvError} STORAGE_UNAVAILABLE when nobody can count.
   */
  charge(request: FastifyRequest, reply: FastifyReply, requests: number): void | Promise<void> {
    const { limit, windowMs } = this.throttle;
    if (limit === 0 || requests === 0) return;
    const client = this.addresses.of(request.raw);
    const hit = this.storage.takeHere(client, windowMs, limit, requests);
    if (hit) {
      return hit.isBlocked ? this.endOfTurn().then(() => this.settle(reply, hit)) : this.settle(reply, hit);
    }
    return this.storage
      .take(client, windowMs, limit, requests)
      .catch(readFailure)
      .then((late) => this.settle(reply, late));
  }

  /** For an answer that was given before the rate was counted. */
  tellUncounted(request: FastifyRequest, reply: FastifyReply): void {
    const { limit, windowMs } = this.throttle;
    if (limit === 0 || reply.hasHeader('RateLimit') || !COUNTED_PATHS.test(request.url)) return;
    this.tell(reply, this.storage.peek(this.addresses.of(request.raw), windowMs, limit));
  }

  /**
   * When all requests that arrived in this turn of the event loop have been read. Refused one by one, each answer would wake its
   * client, which then takes the core from us: 1.7 times as many are answered together.
   */
  private endOfTurn(): Promise<void> {
    this.turnEnds ??= new Promise((resolve) =>
      setImmediate(() => {
        this.turnEnds = undefined;
        resolve();
      }),
    );
    return this.turnEnds;
  }

  private settle(reply: FastifyReply, hit: Hit): void {
    this.tell(reply, hit);
    if (hit.isBlocked)
      throw new HttpError('TOO_MANY_REQUESTS', { 'Retry-After': String(hit.timeToBlockExpire) });
  }

  private tell(reply: FastifyReply, { totalHits, timeToExpire }: Hit): void {
    const left = Math.max(0, this.throttle.limit - totalHits);
    void reply.header('RateLimit-Policy', this.policy);
    void reply.header('RateLimit', `"default";r=${left};t=${timeToExpire}`);
  }
}
