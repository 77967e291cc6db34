import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { Config } from '../config/config.js';
import { ArgumentsWriter } from '../kv/arguments-writer.js';
import { OUTCOME, REFUSALS } from '../kv/outcome.js';
import { KvError } from '../kv/kv.errors.js';
import { writeFailure } from '../kv/storage-failure.js';
import { readTuple, readWritten } from '../kv/tuple.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import type { Comparison } from './comparison.js';
import type { Operation } from './operation.js';
import { readResult, refusedResult, writtenResult } from './result.js';

export interface Transaction {
  readonly compare: readonly Comparison[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[] | undefined;
}

export interface Committed {
  readonly revision: number;
  readonly results: string[];
}

/** All or nothing in the store (tarantool/kv/txn.lua). */
@Injectable()
export class TxnRepository {
  private readonly args: ArgumentsWriter;

  constructor(
    private readonly tarantool: TarantoolClient,
    config: ConfigService<Config, true>,
  ) {
    this.args = new ArgumentsWriter(config.get('limits', { infer: true }).maxDepth);
  }

  /** @throws {KvError} TRANSACTION_ABORTED, INVALID_BODY, and what every write throws. */
  async run({ compare, success, failure }: Transaction): Promise<Committed> {
    const args = this.args.begin(3);
    this.comparisons(compare);
    this.operations(success);
    if (failure) this.operations(failure);
    else args.nil();
    const answer = await this.tarantool.call('kv.txn', args.bytes()).catch(writeFailure);
    answer.arrayHeader();
    if (answer.integer() === OUTCOME.ABORTED) {
      throw new KvError('TRANSACTION_ABORTED', { failed: readIndexes(answer) });
    }

    const revision = answer.integer();
    const operations = answer.integer() === 1 ? success : (failure ?? []);
    const count = answer.arrayHeader();
    const results = operations.slice(0, count).map((operation) => readOperationResult(answer, operation));
    return { revision, results };
  }

  private comparisons(compare: readonly Comparison[]): void {
    this.args.array(compare.length);
    for (const comparison of compare) {
      this.args.array(3).key(comparison.key);
      if ('exists' in comparison) this.args.key('exists').boolean(comparison.exists);
      else this.args.key('version').integer(comparison.version);
    }
  }

  private operations(operations: readonly Operation[]): void {
    this.args.array(operations.length);
    for (const { op, key, value, ttl, ifMatch } of operations) {
      this.args.array(5).key(op).key(key);
      if (value) this.args.value(value);
      else this.args.nil();
      this.args.ttl(ttl).ifMatch(ifMatch);
    }
  }
}

function readOperationResult(answer: MsgpackReader, { op }: Operation): string {
  const members = answer.arrayHeader() - 1;
  const outcome = answer.integer();
  if (outcome !== OUTCOME.OK) return refusedResult(new KvError(REFUSALS[outcome] ?? 'KEY_NOT_FOUND'));
  if (op === 'get') return readResult(readTuple(answer));
  return writtenResult(op, readWritten(answer, members), answer.boolean());
}

function readIndexes(answer: MsgpackReader): number[] {
  return Array.from({ length: answer.arrayHeader() }, () => answer.integer());
}
