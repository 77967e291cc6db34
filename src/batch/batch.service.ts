import { Injectable } from '@nestjs/common';
import type { LargeRoom } from '../answers/answer-room.js';
import { KvError } from '../entries/kv.errors.js';
import { KvService } from '../kv/kv.service.js';
import { BatchAnswer } from './batch-answer.js';
import type { Operation } from './operation.js';
import { readResult, refusedResult, writtenResult } from './result.js';

/** Operations under way at the same time: enough to share the disk. */
const AT_ONCE = 64;

/** Many single operations in one request: each on its own, those of one key in their order, the others side by side. */
@Injectable()
export class BatchService {
  constructor(private readonly kv: KvService) {}

  /** @returns a result for each operation, in their order, as JSON text. */
  async run(operations: readonly Operation[], room: LargeRoom): Promise<string[]> {
    const answer = new BatchAnswer(room, operations.length);
    const results: string[] = [];
    for (let start = 0; start < operations.length; start += AT_ONCE) {
      results.push(...(await this.runSome(operations.slice(start, start + AT_ONCE), answer)));
    }
    return results;
  }

  private runSome(operations: readonly Operation[], answer: BatchAnswer): Promise<string[]> {
    const lastOf = new Map<string, Promise<string>>();
    return Promise.all(
      operations.map((operation) => {
        const before = lastOf.get(operation.key);
        const result = before
          ? before.then(() => this.carryOut(operation, answer))
          : this.carryOut(operation, answer);
        lastOf.set(operation.key, result);
        return result;
      }),
    );
  }

  private async carryOut({ op, key, value, ttl, ifMatch }: Operation, answer: BatchAnswer): Promise<string> {
    try {
      if (op === 'get') {
        await answer.begin();
        return answer.add(readResult(await this.kv.get(key, answer)));
      }
      if (op === 'delete') return writtenResult(op, await this.kv.delete(key, ifMatch));
      if (op === 'touch') return writtenResult(op, await this.kv.touch(key, { ttl, ifMatch }));
      if (!value) throw new KvError('INVALID_BODY');
      if (op === 'upsert') {
        const written = await this.kv.upsert(key, value, { ttl, ifMatch }, false);
        return writtenResult(op, written, written.isCreated);
      }
      if (op === 'update') return writtenResult(op, await this.kv.update(key, value, { ttl, ifMatch }));
      return writtenResult(op, await this.kv.insert(key, value, ttl));
    } catch (error) {
      return refusedResult(error);
    }
  }
}
