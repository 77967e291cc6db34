import { Inject, Injectable } from '@nestjs/common';
import type { Room } from '../answers/answer-room.js';
import type { LimitsConfig } from '../config/config.js';
import { LIMITS } from '../config/config.tokens.js';
import type { JsonObject } from '../json/json.types.js';
import { includesVersion } from '../entries/entry.js';
import type { Entry, WriteOptions, Written } from '../entries/entry.js';
import { checkKey } from '../entries/key.js';
import { KvError } from '../entries/kv.errors.js';
import type { KvErrorCode } from '../entries/kv.errors.js';
import { applyPatch } from './patch/apply-patch.js';
import type { Patch } from './patch/patch.js';
import { TarantoolRepository } from './tarantool.repository.js';

/**
 * Other clients may change an entry between the read and the write of a patch. After this many attempts the patch
 * gives up.
 */
const MAX_PATCH_ATTEMPTS = 20;

/** Failures that do not depend on what the entry holds. */
const NOT_OF_THE_ENTRY: ReadonlySet<KvErrorCode> = new Set([
  'STORAGE_UNAVAILABLE',
  'OUTCOME_UNKNOWN',
  'IDEMPOTENCY_KEY_REUSED',
  'TOO_MANY_IDEMPOTENCY_KEYS',
]);

/**
 * Checks what can be checked without the store. Everything else is decided in the store, in one step with the write.
 */
@Injectable()
export class KvService {
  constructor(
    private readonly entries: TarantoolRepository,
    @Inject(LIMITS) private readonly limits: LimitsConfig,
  ) {}

  /** @throws {KvError} INVALID_KEY, INVALID_BODY, KEY_EXISTS, and what every write throws. */
  insert(key: string, value: JsonObject, options: WriteOptions): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.insert(key, value, options);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, STORAGE_UNAVAILABLE */
  get(key: string, room: Room): Promise<Entry> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.get(key, room);
  }

  /** @returns undefined where there is no entry. @throws {KvError} INVALID_KEY, STORAGE_UNAVAILABLE */
  version(key: string): Promise<number | undefined> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.version(key);
  }

  /** @throws {KvError} INVALID_KEY, INVALID_BODY, KEY_NOT_FOUND, PRECONDITION_FAILED, and what every write throws. */
  update(key: string, value: JsonObject, options: WriteOptions): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.update(key, value, options);
  }

  /** @throws {KvError} INVALID_KEY, INVALID_BODY, PRECONDITION_FAILED, and what every write throws. */
  upsert(
    key: string,
    value: JsonObject,
    options: WriteOptions,
    mustCreate: boolean,
  ): Promise<Written & { isCreated: boolean }> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.upsert(key, value, options, mustCreate);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, PRECONDITION_FAILED, and what every write throws. */
  delete(key: string, options: WriteOptions): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.delete(key, options);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, PRECONDITION_FAILED, and what every write throws. */
  touch(key: string, options: WriteOptions): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.touch(key, options);
  }

  /**
   * Patches an entry by compare-and-set: reads it, applies the patch, and writes it if nobody else has written since.
   * Otherwise it tries again. `onRead` is told how many bytes each attempt reads.
   * A patch that can be repeated may have been applied before, and the entry may be another one or gone since then.
   * So it is asked for before the entry is read, and, because the same request may run at the same time, once more
   * before the patch is refused.
   * @throws {KvError} what `update` throws; PATCH_TEST_FAILED, PATCH_CONFLICT
   */
  async patch(
    key: string,
    patch: Patch,
    options: WriteOptions,
    room: Room,
    onRead?: (bytes: number) => void,
  ): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    const { retry } = options;
    if (!retry) return this.patchEntry(key, patch, options, room, onRead);
    const first = await this.entries.findReplay(retry);
    if (first) return first;
    try {
      return await this.patchEntry(key, patch, options, room, onRead);
    } catch (error) {
      if (!(error instanceof KvError) || NOT_OF_THE_ENTRY.has(error.code)) throw error;
      const meanwhile = await this.entries.findReplay(retry);
      if (meanwhile) return meanwhile;
      throw error;
    }
  }

  private async patchEntry(
    key: string,
    patch: Patch,
    { ifMatch, retry }: WriteOptions,
    room: Room,
    onRead?: (bytes: number) => void,
  ): Promise<Written> {
    for (let attempt = 0; attempt < MAX_PATCH_ATTEMPTS; attempt++) {
      const { value, version } = await this.entries.getEncoded(key, room);
      onRead?.(value.length);
      if (ifMatch && !includesVersion(ifMatch, version)) {
        throw new KvError('PRECONDITION_FAILED', { presentVersion: version });
      }
      const patched = applyPatch(value, patch, this.limits);
      try {
        return await this.entries.update(key, patched, { ttl: 'keep', ifMatch: [version], retry });
      } catch (error) {
        if (!(error instanceof KvError) || error.code !== 'PRECONDITION_FAILED') throw error;
      }
    }
    throw new KvError('PATCH_CONFLICT');
  }
}
