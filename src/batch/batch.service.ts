import { Injectable } from '@nestjs/common';
import type { Access } from '../access/access.js';
import type { LargeRoom } from '../answers/answer-room.js';
import type { Written } from '../entries/entry.js';
import { KvError } from '../entries/kv.errors.js';
import { KvService } from '../kv/kv.service.js';
import { BatchAnswer } from './batch-answer.js';
import { rightOf } from './operation.js';
import type { Operation } from './operation.js';
import type { Result, WrittenResult } from './result.js';

/** How many operations run at the same time: enough for their log records to share a sync of the disk. */
const AT_ONCE = 64;

/**
 * Many single operations in one request. Operations on one key run in their order, those on different keys side by
 * side.
 */
@Injectable()
export class BatchService {
  constructor(private readonly kv: KvService) {}

  /** @returns one result for each operation, in the order of the operations. */
  async run(operations: readonly Operation[], room: LargeRoom, access: Access): Promise<Result[]> {
    const answer = new BatchAnswer(room, operations.length);
    const results: Result[] = [];
    for (let start = 0; start < operations.length; start += AT_ONCE) {
      results.push(...(await this.runSome(operations.slice(start, start + AT_ONCE), answer, access)));
    }
    return results;
  }

  private runSome(operations: readonly Operation[], answer: BatchAnswer, access: Access): Promise<Result[]> {
    const lastOf = new Map<string, Promise<Result>>();
    return Promise.all(
      operations.map((operation) => {
        const before = lastOf.get(operation.key);
        const result = before
          ? before.then(() => this.carryOut(operation, answer, access))
          : this.carryOut(operation, answer, access);
        lastOf.set(operation.key, result);
        return result;
      }),
    );
  }

  private async carryOut(operation: Operation, answer: BatchAnswer, access: Access): Promise<Result> {
    try {
      access.require(rightOf(operation.op), operation.key);
      return await this.perform(operation, answer);
    } catch (error) {
      if (error instanceof KvError) return { error };
      throw error;
    }
  }

  private async perform(operation: Operation, answer: BatchAnswer): Promise<Result> {
    const { key } = operation;
    switch (operation.op) {
      case 'get':
        await answer.begin();
        return { op: 'get', entry: answer.add(await this.kv.get(key, answer)) };
      case 'insert':
        return written(operation.op, await this.kv.insert(key, operation.value, operation));
      case 'update':
        return written(operation.op, await this.kv.update(key, operation.value, operation));
      case 'upsert': {
        const { isCreated, ...entry } = await this.kv.upsert(key, operation.value, operation, false);
        return written(operation.op, entry, isCreated);
      }
      case 'touch':
        return written(operation.op, await this.kv.touch(key, operation));
      case 'delete':
        return written(operation.op, await this.kv.delete(key, operation));
    }
  }
}

function written(op: WrittenResult['op'], entry: Written, isCreated = false): WrittenResult {
  return { op, written: entry, isCreated };
}
