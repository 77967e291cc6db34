import { Injectable } from '@nestjs/common';
import { Answers } from '../answers/answers.js';
import { ANSWER_SIZE } from '../store/answer-size.js';
import { KvError } from '../entries/kv.errors.js';
import { decodeValue } from '../json/decode-value.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { OUTCOME, refusal } from '../store/outcome.js';
import { CHANGE, ROW } from '../store/positions.js';
import { readFailure } from '../store/storage-failure.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import type { Change } from './change.js';

/** No revision is that large, so nothing is behind it. */
const BEYOND = Number.MAX_SAFE_INTEGER;

/** The reader of the changes reads for all clients, and takes its turns beside them. */
const READER = 'changes';

const OPERATIONS: Readonly<Record<number, Change['operation']>> = {
  [CHANGE.INSERT]: 'insert',
  [CHANGE.UPDATE]: 'update',
  [CHANGE.DELETE]: 'delete',
  [CHANGE.EXPIRE]: 'delete',
};

export interface LoggedChanges {
  readonly changes: Change[];
  /** The revision behind which to continue. */
  readonly next: number;
  /** The newest revision that is known to be on disk. */
  readonly mark: number;
}

/** The log of changes in the store (tarantool/kv/changes.lua). */
@Injectable()
export class ChangesRepository {
  private readonly writer = new MsgpackWriter();

  constructor(
    private readonly tarantool: TarantoolClient,
    private readonly answers: Answers,
  ) {}

  /**
   * Reads the changes behind a revision, about `maxBytes` of them, and all that have the same revision, or none for 0.
   * Where there are none, it waits for the next one for up to `waitMs` milliseconds.
   * @throws {KvError} OFFSET_EXPIRED where changes behind the revision are no longer held; CHANGES_OFF where the
   * store keeps no log; STORAGE_UNAVAILABLE
   */
  async read(after: number, maxBytes: number, waitMs = 0): Promise<LoggedChanges> {
    const { outcome, answer } = await this.ask(after, maxBytes, waitMs);
    if (outcome === OUTCOME.GONE) throw new KvError('OFFSET_EXPIRED');
    const next = answer.integer();
    const mark = answer.integer();
    // Decoding takes turns with that of other large answers.
    if (answer.left > ANSWER_SIZE.SMALL_BYTES) await this.answers.turns.take(READER);
    return { next, mark, changes: Array.from({ length: answer.arrayHeader() }, () => readChange(answer)) };
  }

  /**
   * The newest revision that is known to be on disk.
   * @throws {KvError} CHANGES_OFF, STORAGE_UNAVAILABLE
   */
  async mark(): Promise<number> {
    const { answer } = await this.ask(BEYOND, 0, 0);
    return answer.integer();
  }

  private async ask(
    after: number,
    maxBytes: number,
    waitMs: number,
  ): Promise<{ outcome: number; answer: MsgpackReader }> {
    const args = this.writer.reset().arrayHeader(3).integer(after).integer(maxBytes).integer(waitMs).bytes();
    const answer = await this.tarantool.call('kv.changes', args).catch(readFailure);
    answer.arrayHeader();
    const outcome = answer.integer();
    if (outcome === OUTCOME.OFF) throw new KvError('CHANGES_OFF');
    if (outcome !== OUTCOME.OK && outcome !== OUTCOME.GONE) throw refusal(outcome);
    return { outcome, answer };
  }
}

function readChange(answer: MsgpackReader): Change {
  answer.arrayHeader();
  const revision = answer.integer();
  answer.integer();
  const what = answer.integer();
  const operation = OPERATIONS[what];
  if (!operation) throw new Error(`the store told of a change ${what}, which is not known here`);
  const fields = answer.arrayHeader();
  const key = answer.string();
  const isExpiry = what === CHANGE.EXPIRE;
  if (operation === 'delete') {
    return { revision, key, operation, json: undefined, version: revision, expiresAt: undefined, isExpiry };
  }
  const json = decodeValue(answer);
  const version = answer.integer();
  const expiresAt = fields === ROW.length ? answer.integer() : undefined;
  return { revision, key, operation, json, version, expiresAt, isExpiry };
}
