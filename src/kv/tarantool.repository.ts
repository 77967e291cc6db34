import { Inject, Injectable } from '@nestjs/common';
import type { Room } from '../answers/answer-room.js';
import type { LimitsConfig } from '../config/config.js';
import { LIMITS } from '../config/config.tokens.js';
import type { JsonObject } from '../json/json.types.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { ArgumentsWriter } from '../store/arguments-writer.js';
import type { EncodedEntry, Entry, WriteOptions, Written } from '../entries/entry.js';
import type { Retry } from '../entries/retry.js';
import { KvError } from '../entries/kv.errors.js';
import { OUTCOME, refusal } from '../store/outcome.js';
import { openRecord } from '../store/record.js';
import { readFailure, writeFailure } from '../store/storage-failure.js';
import { readEncoded, readTuple, readWritten } from '../store/tuple.js';

/** The reader stands behind the outcome, before the other members. */
interface Answered {
  readonly answer: MsgpackReader;
  readonly outcome: number;
  readonly members: number;
}

/**
 * Operations on one entry in Tarantool. Only this class knows the names of their functions
 * (tarantool/kv/entries.lua).
 */
@Injectable()
export class TarantoolRepository {
  private readonly args: ArgumentsWriter;

  constructor(
    private readonly tarantool: TarantoolClient,
    @Inject(LIMITS) limits: LimitsConfig,
  ) {
    this.args = new ArgumentsWriter(limits);
  }

  insert(key: string, value: JsonObject, { ttl, retry }: WriteOptions): Promise<Written> {
    const args = this.begin(3, retry).key(key).value(value).ttl(ttl).retry(retry);
    return this.write('kv.insert', args.bytes());
  }

  update(key: string, value: JsonObject | Buffer, options: WriteOptions): Promise<Written> {
    const { ttl, ifMatch, retry } = options;
    const args = this.begin(4, retry).key(key).value(value).ttl(ttl).ifMatch(ifMatch).retry(retry);
    return this.write('kv.update', args.bytes());
  }

  /** @returns also whether the entry was created. */
  async upsert(
    key: string,
    value: JsonObject,
    { ttl, ifMatch, retry }: WriteOptions,
    mustCreate: boolean,
  ): Promise<Written & { isCreated: boolean }> {
    const args = this.begin(5, retry).key(key).value(value).ttl(ttl).ifMatch(ifMatch).boolean(mustCreate);
    const answered = await this.ask('kv.upsert', args.retry(retry).bytes(), writeFailure);
    return { ...written(answered), isCreated: answered.answer.boolean() };
  }

  delete(key: string, { ifMatch, retry }: WriteOptions): Promise<Written> {
    return this.write('kv.delete', this.begin(2, retry).key(key).ifMatch(ifMatch).retry(retry).bytes());
  }

  /** Sets another time to live, or none. The version does not change. */
  touch(key: string, { ttl, ifMatch, retry }: WriteOptions): Promise<Written> {
    const args = this.begin(3, retry).key(key).ttl(ttl).ifMatch(ifMatch).retry(retry);
    return this.write('kv.touch', args.bytes());
  }

  /** What a write has answered at an earlier time; undefined where it was not applied yet. */
  async findReplay(retry: Retry): Promise<Written | undefined> {
    const answered = await this.ask('kv.find_retry', this.args.begin(1).retry(retry).bytes(), readFailure);
    return answered.outcome === OUTCOME.REPLAYED ? written(answered) : undefined;
  }

  get(key: string, room: Room): Promise<Entry> {
    return this.read(key, room, readTuple);
  }

  /**
   * Reads an entry. The store does not send a large one at once: it is asked for again when there is room for it, and
   * decoded when its turn comes.
   */
  private async read<T>(key: string, room: Room, parse: (tuple: MsgpackReader) => T): Promise<T> {
    const { answer, outcome } = await this.ask('kv.get', this.args.begin(1).key(key).bytes(), readFailure);
    if (outcome !== OUTCOME.LARGE) return parse(answer);
    const bytes = answer.integer();
    await room.takeFor(bytes);
    const large = await this.ask('kv.get', this.args.begin(2).key(key).boolean(true).bytes(), readFailure);
    await room.turn();
    return parse(large.answer);
  }

  /** The version of an entry, undefined where there is none. A large value is not sent. */
  async version(key: string): Promise<number | undefined> {
    try {
      const { answer, outcome } = await this.ask('kv.get', this.args.begin(1).key(key).bytes(), readFailure);
      if (outcome !== OUTCOME.LARGE) return readEncoded(answer).version;
      answer.integer();
      return answer.integer();
    } catch (error) {
      if (error instanceof KvError && error.code === 'KEY_NOT_FOUND') return undefined;
      throw error;
    }
  }

  /** The value as the store holds it. A patch changes this MessagePack without decoding all of it. */
  getEncoded(key: string, room: Room): Promise<EncodedEntry> {
    return this.read(key, room, readEncoded);
  }

  /** Begins the arguments of a write, with one more where it can be repeated. */
  private begin(count: number, retry: Retry | undefined): ArgumentsWriter {
    return this.args.begin(retry ? count + 1 : count);
  }

  private async write(functionName: string, args: Buffer): Promise<Written> {
    return written(await this.ask(functionName, args, writeFailure));
  }

  /**
   * Calls a function and reads its outcome. The reader stands before the other `members` of the answer afterwards.
   */
  private async ask(functionName: string, args: Buffer, fail: (error: unknown) => never): Promise<Answered> {
    let answer: MsgpackReader;
    try {
      answer = await this.tarantool.call(functionName, args);
    } catch (error) {
      return fail(error);
    }
    const members = answer.arrayHeader() - 1;
    const outcome = answer.integer();
    if (outcome === OUTCOME.REPLAYED) return { answer, outcome, members: openRecord(answer) };
    if (outcome !== OUTCOME.OK && outcome !== OUTCOME.LARGE) {
      throw refusal(outcome, members > 0 ? answer.integer() : 0);
    }
    return { answer, outcome, members };
  }
}

function written({ answer, outcome, members }: Answered): Written {
  const entry = readWritten(answer, members);
  return outcome === OUTCOME.REPLAYED ? { ...entry, isReplayed: true } : entry;
}
