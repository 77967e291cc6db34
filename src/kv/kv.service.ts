import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { Config } from '../config/config.js';
import type { JsonObject } from '../json/json.types.js';
import type { Entry } from './entry.js';
import { checkKey } from './key.js';
import { TarantoolRepository } from './tarantool.repository.js';

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
  insert(key: string, value: JsonObject): Promise<void> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.insert(key, value);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, STORAGE_UNAVAILABLE */
  get(key: string): Promise<Entry> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.get(key);
  }

  /** @throws {KvError} INVALID_KEY, INVALID_BODY, KEY_NOT_FOUND, and what every write throws. */
  update(key: string, value: JsonObject): Promise<void> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.update(key, value);
  }

  /** @throws {KvError} INVALID_KEY, KEY_NOT_FOUND, and what every write throws. */
  delete(key: string): Promise<void> {
    checkKey(key, this.maxKeyBytes);
    return this.entries.delete(key);
  }
}
