import { Injectable } from '@nestjs/common';
import { KvError } from '../entries/kv.errors.js';
import { OUTCOME } from '../store/outcome.js';
import { readFailure } from '../store/storage-failure.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { OpenFilesWatch } from './open-files.watch.js';

const NO_ARGUMENTS = Buffer.from([0x90]);

/** What the store said is good for so long: a process asks it at most twice a second, however many ask the process. */
const FRESH_MS = 500;

/** Who asks for readiness waits so long at most, also where TARANTOOL_TIMEOUT is longer. */
const MAX_WAIT_MS = 2000;

/** What this process says of itself: few file descriptors may be left, or it has begun to stop. */
export type Readiness = 'ready' | 'few descriptors' | 'stopping';

/** Whether this process should be sent requests. */
@Injectable()
export class HealthService {
  private isStopping = false;
  private last: { readonly failure: unknown; readonly at: number } = { failure: undefined, at: -Infinity };
  /** The one question to the store that is under way: why it is not ready, or undefined. */
  private probe: Promise<unknown> | undefined;
  private isProbeLate = false;

  constructor(
    private readonly tarantool: TarantoolClient,
    private readonly openFiles: OpenFilesWatch,
  ) {}

  /** From now on not ready: set before listening stops, so that balancers turn away first. */
  startStopping(): void {
    this.isStopping = true;
  }

  /** @throws {KvError} STORAGE_UNAVAILABLE unless the store took a durable write just now. */
  async readiness(): Promise<Readiness> {
    if (this.isStopping) return 'stopping';
    if (this.openFiles.areFewLeft) return 'few descriptors';
    const failure = await this.storeFailure();
    // It may have begun to stop meanwhile.
    if (this.isStopping) return 'stopping';
    if (failure) throw failure;
    return 'ready';
  }

  private storeFailure(): unknown {
    // What the store said before its connection was lost no longer holds; the question fails at once then.
    if (this.tarantool.isConnected && performance.now() - this.last.at < FRESH_MS) return this.last.failure;
    this.probe ??= this.startProbe();
    return this.isProbeLate ? new KvError('STORAGE_UNAVAILABLE') : this.probe;
  }

  private startProbe(): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<KvError>((resolve) => {
      timer = setTimeout(() => {
        this.isProbeLate = true;
        resolve(new KvError('STORAGE_UNAVAILABLE'));
      }, MAX_WAIT_MS).unref();
    });
    const asked = this.ask().then((failure) => {
      clearTimeout(timer);
      this.last = { failure, at: performance.now() };
      this.probe = undefined;
      this.isProbeLate = false;
      return failure;
    });
    return Promise.race([asked, tooLate]);
  }

  private async ask(): Promise<unknown> {
    try {
      const answer = await this.tarantool.call('health.check', NO_ARGUMENTS).catch(readFailure);
      answer.arrayHeader();
      return answer.integer() === OUTCOME.OK ? undefined : new KvError('STORAGE_UNAVAILABLE');
    } catch (failure) {
      return failure;
    }
  }
}
