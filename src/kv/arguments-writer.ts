import { encodeValue } from '../json/encode-value.js';
import { UnencodableValueError } from '../json/json.errors.js';
import type { JsonObject } from '../json/json.types.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import type { IfMatch, Ttl } from './entry.js';
import { KvError } from './kv.errors.js';

/** Writes the arguments of a stored function, in the forms that tarantool/kv/ takes them. */
export class ArgumentsWriter {
  private readonly writer = new MsgpackWriter();
  private readonly valueWriter = new MsgpackWriter();

  constructor(private readonly maxDepth: number) {}

  begin(count: number): this {
    this.writer.reset();
    return this.array(count);
  }

  bytes(): Buffer {
    return this.writer.bytes();
  }

  array(count: number): this {
    this.writer.arrayHeader(count);
    return this;
  }

  map(count: number): this {
    this.writer.mapHeader(count);
    return this;
  }

  nil(): this {
    this.writer.nil();
    return this;
  }

  boolean(value: boolean): this {
    this.writer.boolean(value);
    return this;
  }

  integer(value: number): this {
    this.writer.integer(value);
    return this;
  }

  key(key: string): this {
    this.writer.string(key);
    return this;
  }

  /**
   * A value travels as a string of MessagePack, which the store keeps as it is: a Lua table would lose its order.
   * @throws {KvError} INVALID_BODY for what cannot be kept exactly.
   */
  value(value: JsonObject): this {
    this.valueWriter.reset();
    try {
      encodeValue(this.valueWriter, value, this.maxDepth);
    } catch (error) {
      if (error instanceof UnencodableValueError) throw new KvError('INVALID_BODY');
      throw error;
    }
    this.writer.stringOf(this.valueWriter.bytes());
    return this;
  }

  ttl(ttl: Ttl | undefined): this {
    if (ttl === undefined) return this.nil();
    if (ttl === 'keep') this.writer.string(ttl);
    else if (typeof ttl === 'object') this.array(1).integer(ttl.expiresAtMs);
    else this.writer.integer(ttl);
    return this;
  }

  ifMatch(ifMatch: IfMatch | undefined): this {
    if (ifMatch === undefined) return this.nil();
    if (ifMatch === '*') this.writer.string('*');
    else {
      this.writer.arrayHeader(ifMatch.length);
      for (const version of ifMatch) this.writer.integer(version);
    }
    return this;
  }
}
