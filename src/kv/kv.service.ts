import { Inject, Injectable } from '@nestjs/common';
import type { Room } from '../answers/answer-room.js';
import type { LimitsConfig } from '../config/config.js';
import { LIMITS } from '../config/config.tokens.js';
import type { JsonObject } from '../json/json.types.js';
import { includesVersion } from '../entries/entry.js';
import type { Entry, Ttl, WriteOptions, Written } from '../entries/entry.js';
import { checkKey } from '../entries/key.js';
import { KvError } from '../entries/kv.errors.js';
import { applyPatch } from './patch/apply-patch.js';
import type { Patch } from './patch/patch.js';
import { TarantoolRepository } from './tarantool.repository.js';

/**
 * Other clients may change an entry between the read and the write of a patch. After this many attempts the patch
 * gives up.
 */
const MAX_PATCH_ATTEMPTS = 20;

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
  insert(key: string, value: JsonObject, ttl?: Ttl): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.insert(key, value, ttl);
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
  delete(key: string, ifMatch?: WriteOptions['ifMatch']): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.delete(key, ifMatch);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, PRECONDITION_FAILED, and what every write throws. */
  touch(key: string, options: WriteOptions): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    return this.entries.touch(key, options);
  }

  /**
   * Patches an entry by compare-and-set: reads it, applies the patch, and writes it if nobody else has written since.
   * Otherwise it tries again. `onRead` is told how many bytes each attempt reads.
   * @throws {KvError} what `update` throws; PATCH_TEST_FAILED, PATCH_CONFLICT
   */
  async patch(
    key: string,
    patch: Patch,
    ifMatch: WriteOptions['ifMatch'],
    room: Room,
    onRead?: (bytes: number) => void,
  ): Promise<Written> {
    checkKey(key, this.limits.maxKeyBytes);
    for (let attempt = 0; attempt < MAX_PATCH_ATTEMPTS; attempt++) {
      const { value, version } = await this.entries.getEncoded(key, room);
      onRead?.(value.length);
      if (ifMatch && !includesVersion(ifMatch, version)) {
        throw new KvError('PRECONDITION_FAILED', { presentVersion: version });
      }
      const patched = applyPatch(value, patch, this.limits);
      try {
        return await this.entries.update(key, patched, { ttl: 'keep', ifMatch: [version] });
      } catch (error) {
        if (!(error instanceof KvError) || error.code !== 'PRECONDITION_FAILED') throw error;
      }
    }
    throw new KvError('PATCH_CONFLICT');
  }
}
