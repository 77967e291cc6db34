import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { Room } from '../answers/answer-room.js';
import type { Config } from '../config/config.js';
import type { JsonObject } from '../json/json.types.js';
import type { Entry, Ttl, WriteOptions, Written } from './entry.js';
import { checkKey } from './key.js';
import { KvError } from './kv.errors.js';
import { applyPatch } from './patch/apply-patch.js';
import type { Patch } from './patch/patch.js';
import { parseStored } from './patch/parse-stored.js';
import { includesVersion } from './precondition.js';
import { TarantoolRepository } from './tarantool.repository.js';

/** Others may write an entry between a patch's read and its write; after so many times they are taken to go on doing so. */
const MAX_PATCH_ATTEMPTS = 20;

/** The rules of an entry that need no store: everything else is decided there, in one step with the write. */
@Injectable()
export class KvService {
  private readonly maxKeyBytes: number;

  constructor(
    private readonly entries: TarantoolRepository,
    config: ConfigService<Config, true>,
  ) {
    this.maxKeyBytes = config.get('limits', { infer: true }).maxKeyBytes;
  }

  /** @throws {KvError} INVALID_KEY, INVALID_BODY, KEY_EXISTS, and what every write throws. */
  insert(key: string, value: JsonObject, ttl?: Ttl): Promise<Written> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.insert(key, value, ttl);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, STORAGE_UNAVAILABLE */
  get(key: string, room: Room): Promise<Entry> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.get(key, room);
  }

  /** @throws {KvError} INVALID_KEY, INVALID_BODY, KEY_NOT_FOUND, PRECONDITION_FAILED, and what every write throws. */
  update(key: string, value: JsonObject, options: WriteOptions): Promise<Written> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.update(key, value, options);
  }

  /** @throws {KvError} INVALID_KEY, INVALID_BODY, PRECONDITION_FAILED, and what every write throws. */
  upsert(
    key: string,
    value: JsonObject,
    options: WriteOptions,
    mustCreate: boolean,
  ): Promise<Written & { isCreated: boolean }> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.upsert(key, value, options, mustCreate);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, PRECONDITION_FAILED, and what every write throws. */
  delete(key: string, ifMatch?: WriteOptions['ifMatch']): Promise<Written> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.delete(key, ifMatch);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, PRECONDITION_FAILED, and what every write throws. */
  touch(key: string, options: WriteOptions): Promise<Written> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.touch(key, options);
  }

  /**
   * Atomic by compare-and-set: read, patch, write if nobody else has written, or else again. `onRead` is told of what each attempt
   * reads.
   * @throws {KvError} what `update` throws; PATCH_TEST_FAILED, PATCH_CONFLICT
   */
  async patch(
    key: string,
    patch: Patch,
    ifMatch: WriteOptions['ifMatch'],
    room: Room,
    onRead?: (json: string) => void,
  ): Promise<Written> {
    for (let attempt = 0; attempt < MAX_PATCH_ATTEMPTS; attempt++) {
      const { json, version } = await this.get(key, room);
      onRead?.(json);
      if (ifMatch && !includesVersion(ifMatch, version)) {
        throw new KvError('PRECONDITION_FAILED', { presentVersion: version });
      }
      const value = applyPatch(parseStored(json), patch);
      try {
        return await this.update(key, value, { ttl: 'keep', ifMatch: [version] });
      } catch (error) {
        if (!(error instanceof KvError) || error.code !== 'PRECONDITION_FAILED') throw error;
      }
    }
    throw new KvError('PATCH_CONFLICT');
  }
}
