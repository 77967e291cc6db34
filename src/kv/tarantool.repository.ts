import { Inject, Injectable } from '@nestjs/common';
import type { Room } from '../answers/answer-room.js';
import type { LimitsConfig } from '../config/config.js';
import { LIMITS } from '../config/config.tokens.js';
import type { JsonObject } from '../json/json.types.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { ArgumentsWriter } from '../store/arguments-writer.js';
import type { EncodedEntry, Entry, Ttl, WriteOptions, Written } from '../entries/entry.js';
import { KvError } from '../entries/kv.errors.js';
import { OUTCOME, refusal } from '../store/outcome.js';
import { readFailure, writeFailure } from '../store/storage-failure.js';
import { readEncoded, readTuple, readWritten } from '../store/tuple.js';

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

  insert(key: string, value: JsonObject, ttl?: Ttl): Promise<Written> {
    return this.write('kv.insert', this.args.begin(3).key(key).value(value).ttl(ttl).bytes());
  }

  update(key: string, value: JsonObject | Buffer, { ttl, ifMatch }: WriteOptions = {}): Promise<Written> {
    const args = this.args.begin(4).key(key).value(value).ttl(ttl).ifMatch(ifMatch);
    return this.write('kv.update', args.bytes());
  }

  /** @returns also whether the entry was created. */
  async upsert(
    key: string,
    value: JsonObject,
    { ttl, ifMatch }: WriteOptions,
    mustCreate: boolean,
  ): Promise<Written & { isCreated: boolean }> {
    const args = this.args.begin(5).key(key).value(value).ttl(ttl).ifMatch(ifMatch).boolean(mustCreate);
    const { answer, members } = await this.ask('kv.upsert', args.bytes(), writeFailure);
    return { ...readWritten(answer, members), isCreated: answer.boolean() };
  }

  delete(key: string, ifMatch?: WriteOptions['ifMatch']): Promise<Written> {
    return this.write('kv.delete', this.args.begin(2).key(key).ifMatch(ifMatch).bytes());
  }

  /** Sets another time to live, or none. The version does not change. */
  touch(key: string, { ttl, ifMatch }: WriteOptions): Promise<Written> {
    return this.write('kv.touch', this.args.begin(3).key(key).ttl(ttl).ifMatch(ifMatch).bytes());
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
    await room.turn(bytes);
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

  private async write(functionName: string, args: Buffer): Promise<Written> {
    const { answer, members } = await this.ask(functionName, args, writeFailure);
    return readWritten(answer, members);
  }

  /**
   * Calls a function and reads its outcome. The reader stands before the other `members` of the answer afterwards.
   */
  private async ask(
    functionName: string,
    args: Buffer,
    fail: (error: unknown) => never,
  ): Promise<{ answer: MsgpackReader; outcome: number; members: number }> {
    let answer: MsgpackReader;
    try {
      answer = await this.tarantool.call(functionName, args);
    } catch (error) {
      return fail(error);
    }
    const members = answer.arrayHeader() - 1;
    const outcome = answer.integer();
    if (outcome !== OUTCOME.OK && outcome !== OUTCOME.LARGE) {
      throw refusal(outcome, members > 0 ? answer.integer() : 0);
    }
    return { answer, outcome, members };
  }
}
