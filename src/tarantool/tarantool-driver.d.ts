/**
 * What we use of tarantool-driver 3.1.0, which has no types. Undocumented are `connector`, `commandsQueue` and
 * `_processResponse`: `driver-connection.spec.ts` names each of them, so that an upgrade which moves one is caught.
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
    /** Anything but a number ends the trying. */
    retryStrategy(times: number): number | null;
  }

  export type SocketCallback = (error: Error | null, socket?: Socket) => void;

  /** Opcode, sync, and how to settle the driver's own promise. */
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
