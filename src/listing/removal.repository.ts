import { Injectable } from '@nestjs/common';
import { MsgpackWriter } from '../msgpack/msgpack-writer.js';
import { OUTCOME, refusal } from '../store/outcome.js';
import { writeFailure } from '../store/storage-failure.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';

export interface RemovalStep {
  readonly removed: number;
  /** The key behind which to continue. Undefined where no entry is left. */
  readonly next: string | undefined;
}

/** Removal of entries by prefix (tarantool/kv/removal.lua). */
@Injectable()
export class RemovalRepository {
  private readonly writer = new MsgpackWriter();

  constructor(private readonly tarantool: TarantoolClient) {}

  /**
   * Removes some of the entries whose keys begin with the prefix, at most `limit`, all or none of them.
   * @throws what every write throws
   */
  async step(prefix: string, limit: number, after: string | undefined): Promise<RemovalStep> {
    const args = this.writer.reset().arrayHeader(3).string(prefix).integer(limit);
    if (after === undefined) args.nil();
    else args.string(after);
    const answer = await this.tarantool.call('kv.remove', args.bytes()).catch(writeFailure);
    const members = answer.arrayHeader();
    const outcome = answer.integer();
    if (outcome !== OUTCOME.OK) throw refusal(outcome);
    const removed = answer.integer();
    return { removed, next: members > 2 && !answer.nil() ? answer.string() : undefined };
  }
}
