import { Inject, Injectable } from '@nestjs/common';
import { InjectThrottlerStorage } from '@nestjs/throttler';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpConfig, ThrottleConfig } from '../config/config.js';
import { HTTP, THROTTLE } from '../config/config.tokens.js';
import { HttpError } from '../http/http.errors.js';
import { readFailure } from '../store/storage-failure.js';
import { ClientAddresses } from '../http/connections/client-address.js';
import { THROTTLED_REQUESTS } from './throttled-requests.js';
import { TarantoolThrottlerStorage } from './tarantool-throttler.storage.js';
import type { Hit } from './window.js';
import { unitsOfBytes, Work } from './work.js';

/** Answers of up to this size are not measured. A UTF-16 unit takes at most three bytes of UTF-8. */
const SMALL_BYTES = 64 * 1024;
const MAX_BYTES_OF_UNIT = 3;

/** The rate of each client. Answers report it in the fields of draft-ietf-httpapi-ratelimit-headers-11. */
@Injectable()
export class ClientRate {
  private readonly policy: string;
  private readonly addresses: ClientAddresses;
  /** The work of requests that cost more than one unit. */
  private readonly works = new WeakMap<FastifyRequest, Work>();
  private readonly uncounted = new WeakSet<FastifyRequest>();
  private turnEnds: Promise<void> | undefined;

  constructor(
    @Inject(THROTTLE) private readonly throttle: ThrottleConfig,
    @Inject(HTTP) http: HttpConfig,
    @InjectThrottlerStorage() private readonly storage: TarantoolThrottlerStorage,
  ) {
    this.addresses = new ClientAddresses(http.trustedProxies);
    // The window in whole seconds (§4.1.3). It is rounded up, which promises less and not more.
    this.policy = `"default";q=${throttle.limit};w=${Math.ceil(throttle.windowMs / 1000)}`;
  }

  /**
   * Counts a request and the size that it declares for its body. Returns no promise where the request may go ahead
   * without a call to the store.
   * @throws {HttpError} TOO_MANY_REQUESTS; {KvError} STORAGE_UNAVAILABLE when the request cannot be counted.
   */
  charge(request: FastifyRequest, reply: FastifyReply): void | Promise<void> {
    if (this.throttle.limit === 0) return;
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    const units = length === undefined ? 0 : unitsOfBytes(Number(length));
    if (encoding !== undefined) this.oweChunkedBody(request);
    if (units === 0) return this.take(request, reply, 1);
    const work = this.workOf(request);
    work.bytes += units;
    work.charged = 0;
    const due = work.due(this.throttle.limit);
    work.charged = due;
    return this.take(request, reply, due);
  }

  /**
   * Counts the operations of a request that was counted as one before. A request that is refused here costs nothing.
   * @throws as `charge`.
   */
  async chargeOperations(request: FastifyRequest, reply: FastifyReply, operations: number): Promise<void> {
    const { limit } = this.throttle;
    if (limit === 0) return;
    const work = this.workOf(request);
    work.operations = Math.max(1, operations);
    const due = work.due(limit);
    if (due === 0) return;
    try {
      await this.take(request, reply, operations > limit ? operations : due);
      work.charged += due;
    } catch (error) {
      this.storage.giveBack(this.clientOf(request), limit, work.charged);
      work.charged = work.operations;
      this.tellNow(request, reply);
      throw error;
    }
  }

  /**
   * Counts bytes that were already worked on. The request goes on, but later requests of the client may have to wait.
   */
  owe(request: FastifyRequest, bytes: number): void {
    const { limit, windowMs } = this.throttle;
    const units = unitsOfBytes(bytes);
    if (units === 0 || limit === 0 || this.uncounted.has(request)) return;
    const work = this.workOf(request);
    work.bytes += units;
    const due = work.due(limit);
    work.charged += due;
    if (due > 0) this.storage.owe(this.clientOf(request), windowMs, limit, due);
  }

  /** Whatever the answer to this request is, it is not counted to its client's rate. */
  leaveOut(request: FastifyRequest): void {
    this.uncounted.add(request);
  }

  /**
   * Counts the bytes of each answer. Adds the rate's fields also to the answers of requests that were refused before
   * they were counted.
   */
  watch(fastify: FastifyInstance): void {
    if (this.throttle.limit === 0) return;
    fastify.addHook('onSend', (request, reply, payload, done) => {
      const isLarge = typeof payload !== 'string' || payload.length * MAX_BYTES_OF_UNIT > SMALL_BYTES;
      const bytes = isLarge ? bytesOf(payload, reply) : 0;
      if (bytes > 0) this.owe(request, bytes);
      if ((bytes > SMALL_BYTES || !reply.hasHeader('ratelimit')) && !this.uncounted.has(request)) {
        this.tellNow(request, reply);
      }
      done();
    });
  }

  private take(request: FastifyRequest, reply: FastifyReply, units: number): void | Promise<void> {
    const { limit, windowMs } = this.throttle;
    const client = this.clientOf(request);
    const hit = this.storage.takeHere(client, windowMs, limit, units);
    if (hit) {
      return hit.isBlocked ? this.endOfTurn().then(() => this.settle(reply, hit)) : this.settle(reply, hit);
    }
    return this.storage
      .take(client, windowMs, limit, units)
      .catch(readFailure)
      .then((late) => this.settle(reply, late));
  }

  /**
   * The length of a chunked body is known only at its end. It is measured by the bytes of its connection, so the
   * framing of the chunks counts too.
   */
  private oweChunkedBody(request: FastifyRequest): void {
    const { raw } = request;
    const before = raw.socket.bytesRead;
    raw.once('close', () => this.owe(request, raw.socket.bytesRead - before));
  }

  /** A client that shows a valid token is that token, and any other client its address. */
  private clientOf({ tokenId, raw }: FastifyRequest): string {
    return tokenId ?? this.addresses.of(raw);
  }

  private workOf(request: FastifyRequest): Work {
    let work = this.works.get(request);
    if (!work) {
      work = new Work();
      work.charged = 1;
      this.works.set(request, work);
    }
    return work;
  }

  /**
   * Resolves when all requests that arrived in this turn of the event loop have been read. If they were refused one
   * by one, each answer would wake its client, which would then take the core from us. Together, 1.7 times as many
   * are answered.
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
    if (!hit.isBlocked) return;
    THROTTLED_REQUESTS.publish(undefined);
    throw new HttpError('TOO_MANY_REQUESTS', { 'Retry-After': String(hit.timeToBlockExpire) });
  }

  private tellNow(request: FastifyRequest, reply: FastifyReply): void {
    const { limit, windowMs } = this.throttle;
    this.tell(reply, this.storage.peek(this.clientOf(request), windowMs, limit));
  }

  private tell(reply: FastifyReply, { totalHits, timeToExpire }: Hit): void {
    const left = Math.max(0, this.throttle.limit - totalHits);
    void reply.header('ratelimit-policy', this.policy);
    void reply.header('ratelimit', `"default";r=${left};t=${timeToExpire}`);
  }
}

function bytesOf(payload: unknown, reply: FastifyReply): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload);
  if (Buffer.isBuffer(payload)) return payload.length;
  return Number(reply.getHeader('content-length')) || 0;
}
