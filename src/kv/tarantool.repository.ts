import { Injectable } from '@nestjs/common';
import { ConfigService } from '@nestjs/config';
import type { Config } from '../config/config.js';
import { decodeValue } from '../json/decode-value.js';
import { encodeValue } from '../json/encode-value.js';
import { UnencodableValueError } from '../json/json.errors.js';
import type { JsonObject } from '../json/json.types.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import type { Entry } from './entry.js';
import { KvError } from './kv.errors.js';
import { OUTCOME, REFUSALS } from './outcome.js';
import { readFailure, writeFailure } from './storage-failure.js';

/** The entries in Tarantool: the one place that knows its functions (tarantool/kv/entries.lua) and its tuples. */
@Injectable()
export class TarantoolRepository {
  private readonly maxDepth: number;
  private readonly arguments = new MsgpackWriter();
  private readonly value = new MsgpackWriter();

  constructor(
    private readonly tarantool: TarantoolClient,
    config: ConfigService<Config, true>,
  ) {
    this.maxDepth = config.get('limits', { infer: true }).maxDepth;
  }

  insert(key: string, value: JsonObject): Promise<void> {
    return this.write('kv.insert', this.keyAndValue(key, value));
  }

  update(key: string, value: JsonObject): Promise<void> {
    return this.write('kv.update', this.keyAndValue(key, value));
  }

  delete(key: string): Promise<void> {
    return this.write('kv.delete', this.key(key));
  }

  async get(key: string): Promise<Entry> {
    const answer = await this.ask('kv.get', this.key(key), readFailure);
    answer.arrayHeader();
    answer.skip();
    return { json: decodeValue(answer) };
  }

  private async write(functionName: string, args: Buffer): Promise<void> {
    await this.ask(functionName, args, writeFailure);
  }

  private async ask(
    functionName: string,
    args: Buffer,
    fail: (error: unknown) => never,
  ): Promise<MsgpackReader> {
    let answer: MsgpackReader;
    try {
      answer = await this.tarantool.call(functionName, args);
    } catch (error) {
      return fail(error);
    }
    accept(answer);
    return answer;
  }

  private key(key: string): Buffer {
    return this.arguments.reset().arrayHeader(1).string(key).bytes();
  }

  /** The value travels as a string of MessagePack, which the store keeps as it is: a Lua table would lose its order. */
  private keyAndValue(key: string, value: JsonObject): Buffer {
    this.value.reset();
    try {
      encodeValue(this.value, value, this.maxDepth);
    } catch (error) {
      if (error instanceof UnencodableValueError) throw new KvError('INVALID_BODY');
      throw error;
    }
    return this.arguments.reset().arrayHeader(2).string(key).stringOf(this.value.bytes()).bytes();
  }
}

/** Reads the outcome, and leaves the reader at what follows it. */
function accept(answer: MsgpackReader): void {
  answer.arrayHeader();
  const outcome = answer.integer();
  if (outcome === OUTCOME.OK) return;
  const code = REFUSALS[outcome];
  if (!code) throw new Error(`the store answered with outcome ${outcome}, which is not known here`);
  throw new KvError(code);
}
