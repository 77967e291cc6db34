/**
 * The part of tarantool-driver 3.1.0 that we use. The driver has no types. `connector`, `commandsQueue` and
 * `_processResponse` are not documented. `driver-connection.spec.ts` tests each of them, so that an upgrade which
 * changes one is noticed.
 */
declare module 'tarantool-driver' {
  import type { EventEmitter } from 'node:events';
  import type { Socket } from 'node:net';

  export interface TarantoolDriverOptions {
    host?: string | undefined;
    port?: number | undefined;
    path?: string | undefined;
    username: string;
    password: string;
    lazyConnect: boolean;
    enableOfflineQueue: boolean;
    /** Returns the delay in ms. Any value that is no number ends the attempts. */
    retryStrategy(times: number): number | null;
  }

  export type SocketCallback = (error: Error | null, socket?: Socket) => void;

  /** The opcode, the sync, and the functions that settle the driver's own promise. */
  export type DriverCommand = [number, number, { resolve(value: unknown): void; reject(error: Error): void }];

  export default class TarantoolConnection extends EventEmitter {
    constructor(options: TarantoolDriverOptions);
    connect(): Promise<void>;
    disconnect(): void;

    connector: { connect(callback: SocketCallback): void };
    commandsQueue: { shift(): DriverCommand | undefined; clear(): void; readonly length: number };
    _processResponse(buffer: Buffer, offset: number): void;
  }
}
