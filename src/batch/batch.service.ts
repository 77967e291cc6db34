import { Injectable } from '@nestjs/common';
import { KvError } from '../kv/kv.errors.js';
import { KvService } from '../kv/kv.service.js';
import type { Operation } from './operation.js';
import { readResult, refusedResult, writtenResult } from './result.js';

/** Operations under way at the same time: enough to share the disk, few enough to hold what they read. */
const AT_ONCE = 64;

/** What an answer may hold, in characters; values read beyond it are refused one by one, writes never. */
const MAX_ANSWER_LENGTH = 16 * 1024 * 1024;

/** Many single operations in one request: each on its own, those of one key in their order, the others side by side. */
@Injectable()
export class BatchService {
  constructor(private readonly kv: KvService) {}

  /** @returns a result for each operation, in their order, as JSON text. */
  async run(operations: readonly Operation[]): Promise<string[]> {
    const results: string[] = [];
    let length = 0;
    for (let start = 0; start < operations.length; start += AT_ONCE) {
      for (const result of await this.runSome(operations.slice(start, start + AT_ONCE))) {
        length += result.length;
        const isRead = operations[results.length]?.op === 'get';
        results.push(
          isRead && length > MAX_ANSWER_LENGTH ? refusedResult(new KvError('VALUE_TOO_LARGE')) : result,
        );
      }
    }
    return results;
  }

  private runSome(operations: readonly Operation[]): Promise<string[]> {
    const lastOf = new Map<string, Promise<string>>();
    return Promise.all(
      operations.map((operation) => {
        const before = lastOf.get(operation.key);
        const result = before ? before.then(() => this.carryOut(operation)) : this.carryOut(operation);
        lastOf.set(operation.key, result);
        return result;
      }),
    );
  }

  private async carryOut({ op, key, value, ttl, ifMatch }: Operation): Promise<string> {
    try {
      if (op === 'get') return readResult(await this.kv.get(key));
      if (op === 'delete') return writtenResult(op, await this.kv.delete(key, ifMatch));
      if (!value) throw new KvError('INVALID_BODY');
      if (op === 'upsert') {
        const written = await this.kv.upsert(key, value, { ttl, ifMatch }, false);
        return writtenResult(op, written, written.isCreated);
      }
      if (op === 'update') return writtenResult(op, await this.kv.update(key, value, { ttl, ifMatch }));
      return writtenResult(op, await this.kv.insert(key, value, ttl === 'keep' ? undefined : ttl));
    } catch (error) {
      return refusedResult(error);
    }
  }
}
