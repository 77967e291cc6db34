import assert from 'node:assert/strict';
import { Inject, Injectable } from '@nestjs/common';
import type { LargeRoom } from '../answers/answer-room.js';
import type { LimitsConfig } from '../config/config.js';
import { LIMITS } from '../config/config.tokens.js';
import { ANSWER_SIZE } from '../store/answer-size.js';
import { ArgumentsWriter } from '../store/arguments-writer.js';
import { KvError } from '../entries/kv.errors.js';
import type { Retry } from '../entries/retry.js';
import { OUTCOME, refusal } from '../store/outcome.js';
import { BRANCH, COMPARE, OPERATION } from '../store/positions.js';
import { openRecord } from '../store/record.js';
import { writeFailure } from '../store/storage-failure.js';
import { readTuple, readWritten } from '../store/tuple.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import type { Comparison } from './comparison.js';
import type { Operation } from './operation.js';
import type { Result } from './result.js';

export interface Transaction {
  readonly compare: readonly Comparison[];
  readonly success: readonly Operation[];
  readonly failure: readonly Operation[] | undefined;
  readonly retry?: Retry | undefined;
}

export interface Committed {
  readonly revision: number;
  readonly results: Result[];
  /** Whether this is the answer of an earlier time, and nothing was done now. */
  readonly isReplayed: boolean;
}

/** How many bytes are decoded at a time, before other requests get their turn. */
const STEP_BYTES = 256 * 1024;

/** Runs transactions in the store, all or nothing (tarantool/kv/txn.lua). */
@Injectable()
export class TxnRepository {
  private readonly args: ArgumentsWriter;

  constructor(
    private readonly tarantool: TarantoolClient,
    @Inject(LIMITS) limits: LimitsConfig,
  ) {
    this.args = new ArgumentsWriter(limits);
  }

  /**
   * Runs a transaction. Where it reads much, nothing of it is carried out until there is room for its answer.
   * @throws {KvError} TRANSACTION_ABORTED, INVALID_BODY, VALUE_TOO_LARGE, and what every write throws.
   */
  async run(transaction: Transaction, room: LargeRoom): Promise<Committed> {
    let { answer, outcome } = await this.call(transaction, false);
    if (outcome === OUTCOME.LARGE) {
      await room.take(ANSWER_SIZE.MAX_BYTES);
      ({ answer, outcome } = await this.call(transaction, true));
    }
    if (outcome === OUTCOME.ABORTED)
      throw new KvError('TRANSACTION_ABORTED', { failed: readIndexes(answer) });
    const isReplayed = outcome === OUTCOME.REPLAYED;
    if (isReplayed) openRecord(answer);
    else if (outcome !== OUTCOME.OK) throw refusal(outcome);

    const revision = answer.integer();
    const { success, failure = [] } = transaction;
    const operations = answer.integer() === BRANCH.SUCCESS ? success : failure;
    assert.equal(answer.arrayHeader(), operations.length, 'a transaction answers each of its operations');
    const results: Result[] = [];
    let stepEnd = answer.offset + STEP_BYTES;
    for (const operation of operations) {
      if (answer.offset > stepEnd) {
        await room.turn();
        stepEnd = answer.offset + STEP_BYTES;
      }
      results.push(readResult(answer, operation));
    }
    return { revision, results, isReplayed };
  }

  private async call(
    { compare, success, failure, retry }: Transaction,
    mayBeLarge: boolean,
  ): Promise<{ answer: MsgpackReader; outcome: number }> {
    const args = this.args.begin(retry ? 5 : 4);
    this.comparisons(compare);
    this.operations(success);
    if (failure) this.operations(failure);
    else args.nil();
    args.boolean(mayBeLarge).retry(retry);
    const answer = await this.tarantool.call('kv.txn', args.bytes()).catch(writeFailure);
    answer.arrayHeader();
    return { answer, outcome: answer.integer() };
  }

  private comparisons(compare: readonly Comparison[]): void {
    this.args.array(compare.length);
    for (const comparison of compare) {
      this.args.array(COMPARE.length).key(comparison.key);
      if ('exists' in comparison) this.args.key('exists').boolean(comparison.exists);
      else this.args.key('version').integer(comparison.version);
    }
  }

  private operations(operations: readonly Operation[]): void {
    this.args.array(operations.length);
    for (const operation of operations) {
      this.args.array(OPERATION.length).key(operation.op).key(operation.key);
      if ('value' in operation) this.args.value(operation.value);
      else this.args.nil();
      this.args.ttl('ttl' in operation ? operation.ttl : undefined);
      this.args.ifMatch('ifMatch' in operation ? operation.ifMatch : undefined);
    }
  }
}

function readResult(answer: MsgpackReader, { op }: Operation): Result {
  const members = answer.arrayHeader() - 1;
  const outcome = answer.integer();
  if (outcome !== OUTCOME.OK) return { error: refusal(outcome) };
  if (op === 'get') return { op, entry: readTuple(answer) };
  return { op, written: readWritten(answer, members), isCreated: answer.boolean() };
}

function readIndexes(answer: MsgpackReader): number[] {
  return Array.from({ length: answer.arrayHeader() }, () => answer.integer());
}
