import { encodeValue } from '../json/encode-value.js';
import { UnencodableValueError } from '../json/json.errors.js';
import type { JsonObject } from '../json/json.types.js';
import { JsonMeter, mayExceed } from '../json/json-meter.js';
import { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import type { IfMatch, Ttl } from '../entries/entry.js';
import type { Retry } from '../entries/retry.js';
import { KvError } from '../entries/kv.errors.js';
import { RETRY } from './positions.js';
import { maxJsonBytes } from './value-limits.js';
import type { ValueLimits } from './value-limits.js';

/** Writes the arguments of a stored function in the forms that tarantool/kv expects. */
export class ArgumentsWriter {
  private readonly writer = new MsgpackWriter();
  private readonly valueWriter = new MsgpackWriter();

  constructor(private readonly limits: ValueLimits) {}

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
   * Writes a value, or the MessagePack that a patch has made. It is sent as a string of MessagePack, which the store
   * keeps unchanged. A Lua table would lose the order of the members.
   * @throws {KvError} INVALID_BODY for what cannot be kept exactly; VALUE_TOO_LARGE for a value that would be
   * answered with more bytes than a body may have.
   */
  value(value: JsonObject | Buffer): this {
    const bytes = Buffer.isBuffer(value) ? value : this.encode(value);
    const maxBytes = maxJsonBytes(this.limits);
    if (Buffer.isBuffer(value) || mayExceed(bytes.length, maxBytes)) {
      const meter = new JsonMeter().add(new MsgpackReader(bytes));
      if (meter.depth > this.limits.maxDepth) throw new KvError('INVALID_BODY');
      if (meter.bytes > maxBytes) throw new KvError('VALUE_TOO_LARGE');
    }
    this.writer.stringOf(bytes);
    return this;
  }

  private encode(value: JsonObject): Buffer {
    try {
      encodeValue(this.valueWriter.reset(), value, this.limits.maxDepth);
    } catch (error) {
      if (error instanceof UnencodableValueError) throw new KvError('INVALID_BODY');
      throw error;
    }
    return this.valueWriter.view();
  }

  ttl(ttl: Ttl | undefined): this {
    if (ttl === undefined) return this.nil();
    if (ttl === 'keep') this.writer.string(ttl);
    else if (typeof ttl === 'object') this.array(1).integer(ttl.expiresAtMs);
    else this.writer.integer(ttl);
    return this;
  }

  /** The last argument of a write, which is left out where there is none. */
  retry(retry: Retry | undefined): this {
    if (retry) {
      this.array(RETRY.length).key(retry.client).key(retry.key);
      this.writer.stringOf(retry.fingerprint);
    }
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
