import { Injectable } from '@nestjs/common';
import { KvError } from '../entries/kv.errors.js';
import type { MsgpackReader } from '../msgpack/msgpack-reader.js';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { OUTCOME, refusal } from '../store/outcome.js';
import { TOKEN } from '../store/positions.js';
import { readFailure, writeFailure } from '../store/storage-failure.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import type { Rule } from './rule.js';

/** What a token is, without the token itself. */
interface TokenDefinition {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

export interface StoredToken extends TokenDefinition {
  readonly id: string;
  /** As `hashToken` makes it. */
  readonly hash: string;
  /** Milliseconds since the epoch. Undefined for a token that does not expire. */
  readonly expiresAt: number | undefined;
}

export interface StoredTokens {
  /** Another number after each change. */
  readonly generation: number;
  /** Undefined where they have not changed. */
  readonly tokens: StoredToken[] | undefined;
}

/** The tokens in the store (tarantool/kv/tokens.lua). */
@Injectable()
export class TokensRepository {
  private readonly writer = new MsgpackWriter();

  constructor(private readonly tarantool: TarantoolClient) {}

  /**
   * Reads all tokens, where their generation is not the `known` one. Otherwise waits for a change for up to `waitMs`
   * milliseconds.
   * @throws {KvError} STORAGE_UNAVAILABLE
   */
  async read(known: number, waitMs: number): Promise<StoredTokens> {
    const args = this.writer.reset().arrayHeader(2).integer(known).integer(waitMs).bytes();
    const answer = await this.tarantool.call('tokens.read', args).catch(readFailure);
    const members = answer.arrayHeader();
    answer.integer();
    const generation = answer.integer();
    if (members === 2) return { generation, tokens: undefined };
    return { generation, tokens: Array.from({ length: answer.arrayHeader() }, () => readToken(answer)) };
  }

  /** @throws {KvError} TOO_MANY_TOKENS, and what every write throws */
  async create({ id, hash, expiresAt, ...definition }: StoredToken): Promise<void> {
    const args = this.writer
      .reset()
      .arrayHeader(4)
      .string(id)
      .string(hash)
      .string(JSON.stringify(definition));
    if (expiresAt === undefined) args.nil();
    else args.integer(expiresAt);
    const outcome = await this.write('tokens.create', args.bytes());
    if (outcome === OUTCOME.FULL) throw new KvError('TOO_MANY_TOKENS');
    if (outcome !== OUTCOME.OK) throw refusal(outcome);
  }

  /** @throws {KvError} TOKEN_NOT_FOUND, and what every write throws */
  async delete(id: string): Promise<void> {
    const outcome = await this.write('tokens.delete', this.writer.reset().arrayHeader(1).string(id).bytes());
    if (outcome === OUTCOME.NOT_FOUND) throw new KvError('TOKEN_NOT_FOUND');
    if (outcome !== OUTCOME.OK) throw refusal(outcome);
  }

  private async write(functionName: string, args: Buffer): Promise<number> {
    const answer = await this.tarantool.call(functionName, args).catch(writeFailure);
    answer.arrayHeader();
    return answer.integer();
  }
}

function readToken(answer: MsgpackReader): StoredToken {
  const fields = answer.arrayHeader();
  const id = answer.string();
  const hash = answer.string();
  const definition = JSON.parse(answer.string()) as TokenDefinition;
  const expiresAt = fields < TOKEN.length || answer.nil() ? undefined : answer.integer();
  return { id, hash, expiresAt, ...definition };
}
