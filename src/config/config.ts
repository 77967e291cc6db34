/**
 * The configuration, grouped by the part that uses it. `readConfig` reads it once. Every other part receives its
 * group and never changes it.
 */
export interface Config {
  readonly workers: number;
  readonly http: HttpConfig;
  readonly limits: LimitsConfig;
  readonly throttle: ThrottleConfig;
  readonly access: AccessConfig;
  /** Whether the service counts what it does, and tells it. */
  readonly metrics: boolean;
  readonly log: LogConfig;
  readonly tarantool: TarantoolConfig;
}

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** Addresses or CIDRs of the proxies whose `X-Forwarded-For` is believed. Empty: no proxy is believed. */
  readonly trustedProxies: readonly string[];
  /** Origins whose pages may use the service. Empty: no origin, and no CORS. `*`: every origin. */
  readonly corsOrigins: readonly string[];
  /** Host names that `Host` may have, in lower case and without a port. Empty: any host name. */
  readonly allowedHosts: readonly string[];
  readonly shutdownTimeoutMs: number;
  /** A whole request must have arrived within this time. */
  readonly requestTimeoutMs: number;
}

export interface LimitsConfig {
  readonly maxKeyBytes: number;
  readonly maxBodyBytes: number;
  /** Bytes of memory for all request bodies that have not arrived whole, in each process. */
  readonly maxBodiesBytes: number;
  /** In each process. */
  readonly maxConnections: number;
  readonly maxDepth: number;
  /** How many clients may follow the changes at the same time, in each process. */
  readonly maxWatchers: number;
  /** Bytes of all large answers in a process: arriving from the store, ready, or waiting for their clients. */
  readonly maxAnswersBytes: number;
}

export interface ThrottleConfig {
  /** Requests that each client may send in a window. 0 turns the limit off. */
  readonly limit: number;
  readonly windowMs: number;
}

export interface AccessConfig {
  /** The token that may do everything. Undefined: the service needs no tokens, and everybody may do everything. */
  readonly adminToken: string | undefined;
}

export interface LogConfig {
  readonly level: string;
  readonly format: 'json' | 'pretty';
}

export interface TarantoolConfig {
  readonly embedded: boolean;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly timeoutMs: number;
  readonly walMode: 'fsync' | 'write';
  readonly memoryMiB: number;
  /** How much of it the log of changes may take. 0: there is no log. */
  readonly changesMiB: number;
  /** How much of it the answers of writes that can be repeated may take. */
  readonly retriesMiB: number;
  /** How long these are kept at least. */
  readonly retriesTtlS: number;
  readonly dataDir: string;
  /** The environment variables that the embedded Tarantool inherits. */
  readonly inherited: { readonly PATH: string | undefined; readonly HOME: string | undefined };
}
