import { Injectable } from '@nestjs/common';
import { KvError } from '../entries/kv.errors.js';
import { OUTCOME } from '../store/outcome.js';
import { readFailure } from '../store/storage-failure.js';
import { TarantoolClient } from '../tarantool/tarantool-client.js';
import { OpenFilesWatch } from './open-files.watch.js';

const NO_ARGUMENTS = Buffer.from([0x90]);

/**
 * How long the store's answer is reused. So a process asks the store at most twice a second, however many clients ask
 * the process.
 */
const FRESH_MS = 500;

/** The longest that a readiness probe waits for the store, also where TARANTOOL_TIMEOUT is longer. */
const MAX_WAIT_MS = 2000;

/** Why this process may not be ready by itself: it is short of file descriptors, or it has begun to stop. */
export type Readiness = 'ready' | 'few descriptors' | 'stopping';

/** Whether this process should be sent requests. */
@Injectable()
export class HealthService {
  private isStopping = false;
  private last: { readonly failure: unknown; readonly at: number } = { failure: undefined, at: -Infinity };
  /**
   * The one readiness call to the store that is under way. Resolves to the reason why the store is not ready, or to
   * undefined.
   */
  private probe: Promise<unknown> | undefined;
  private isProbeLate = false;

  constructor(
    private readonly tarantool: TarantoolClient,
    private readonly openFiles: OpenFilesWatch,
  ) {}

  /**
   * From now on the process is not ready. This is set before the server stops listening, so that load balancers turn
   * away first.
   */
  startStopping(): void {
    this.isStopping = true;
  }

  /** @throws {KvError} STORAGE_UNAVAILABLE unless the store took a durable write within the last moments. */
  async readiness(): Promise<Readiness> {
    if (this.isStopping) return 'stopping';
    if (this.openFiles.areFewLeft) return 'few descriptors';
    const failure = await this.storeFailure();
    // The process may have begun to stop while the store was asked.
    if (this.isStopping) return 'stopping';
    if (failure) throw failure;
    return 'ready';
  }

  private storeFailure(): unknown {
    // An answer from before the connection was lost no longer counts. Without a connection a new call fails at once.
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
