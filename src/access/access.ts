import type { FastifyRequest } from 'fastify';
import { KvError } from '../entries/kv.errors.js';
import { isAllowed, RIGHTS } from './rule.js';
import type { Right, Rule } from './rule.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request may do. Undefined where the service needs no tokens. */
    access?: Access;
  }
}

/** Whether what this process knows of the tokens is at most a second old. */
interface Registry {
  readonly isCurrent: boolean;
}

/** What whoever shows a token may do, and for how long. */
export class Access {
  private hasEnded = false;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly rules: readonly Rule[],
    /** In milliseconds since the epoch. */
    readonly expiresAt = Infinity,
    private readonly registry: Registry = { isCurrent: true },
  ) {}

  /** Whether the token has neither expired nor been deleted, as far as this process knows. */
  get isValid(): boolean {
    return !this.hasEnded && (this.expiresAt === Infinity || Date.now() < this.expiresAt);
  }

  /**
   * Checks that the token is still valid, and that it has a right: on a key, or on all keys that begin with a prefix.
   * @throws {KvError} FORBIDDEN, and what `check` throws
   */
  require(right: Right, keyOrPrefix: string): void {
    this.check();
    if (!isAllowed(this.rules, right, keyOrPrefix)) throw new KvError('FORBIDDEN');
  }

  /** Whether the token is valid, and this process can know it. */
  get isUsable(): boolean {
    return this.isValid && this.registry.isCurrent;
  }

  /**
   * Checks that the token is still valid. Whatever has waited checks it again before it answers.
   * @throws {KvError} UNAUTHORIZED; STORAGE_UNAVAILABLE where this process cannot know it
   */
  check(): void {
    if (!this.isValid) throw new KvError('UNAUTHORIZED');
    if (!this.registry.isCurrent) throw new KvError('STORAGE_UNAVAILABLE');
  }

  /** Calls back once, when the token ends. Returns a function that calls it off. */
  onEnd(callback: () => void): () => void {
    if (this.hasEnded) callback();
    else this.waiting.add(callback);
    return () => void this.waiting.delete(callback);
  }

  /** The token was deleted, or has expired. */
  end(): void {
    this.hasEnded = true;
    for (const callback of this.waiting) callback();
    this.waiting.clear();
  }
}

/** Where the service needs no tokens, everybody may do everything. */
const EVERYTHING = new Access([{ prefix: '', rights: RIGHTS }]);

export function accessOf(request: FastifyRequest): Access {
  return request.access ?? EVERYTHING;
}
