import { Injectable } from '@nestjs/common';
import { HttpError } from '../http/http.errors.js';
import { KvError } from '../kv/kv.errors.js';
import { OUTCOME } from '../kv/outcome.js';
import { readFailure } from '../kv/storage-failure.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';

const NO_ARGUMENTS = Buffer.from([0x90]);

/** Whether this process should be sent requests. */
@Injectable()
export class HealthService {
  private isStopping = false;

  constructor(private readonly tarantool: TarantoolClient) {}

  /** From now on not ready: set before listening stops, so that balancers turn away first. */
  startStopping(): void {
    this.isStopping = true;
  }

  /** @throws {HttpError} SHUTTING_DOWN; {KvError} STORAGE_UNAVAILABLE unless the store takes a durable write now. */
  async checkReady(): Promise<void> {
    if (this.isStopping) throw new HttpError('SHUTTING_DOWN');
    const answer = await this.tarantool.call('health.check', NO_ARGUMENTS).catch(readFailure);
    answer.arrayHeader();
    if (answer.integer() !== OUTCOME.OK) throw new KvError('STORAGE_UNAVAILABLE');
  }
}
