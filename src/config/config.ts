/** The configuration, grouped by who uses it. Read once by `readConfig`; everything else is handed a group of it, and changes nothing. */
export interface Config {
  readonly workers: number;
  readonly http: HttpConfig;
  readonly limits: LimitsConfig;
  readonly throttle: ThrottleConfig;
  readonly log: LogConfig;
  readonly tarantool: TarantoolConfig;
}

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  /** Addresses or CIDRs of proxies whose `X-Forwarded-For` is believed; empty: none. */
  readonly trustedProxies: readonly string[];
  /** Origins whose pages may use the service; empty: none, and no CORS. `*` stands for all. */
  readonly corsOrigins: readonly string[];
  /** Names that `Host` may have, in lower case and without a port; empty: any. */
  readonly allowedHosts: readonly string[];
  readonly shutdownTimeoutMs: number;
  /** A whole request must have arrived in this time, however slowly it is sent. */
  readonly requestTimeoutMs: number;
}

export interface LimitsConfig {
  readonly maxKeyBytes: number;
  readonly maxBodyBytes: number;
  /** Memory in bytes of all bodies that are not complete, in each process. */
  readonly maxBodiesBytes: number;
  /** In each process. */
  readonly maxConnections: number;
  readonly maxDepth: number;
  /** Of a process: large answers on their way from the store, made, and waiting for clients. */
  readonly maxAnswersBytes: number;
}

export interface ThrottleConfig {
  /** Requests for each client in a window; 0 turns the limit off. */
  readonly limit: number;
  readonly windowMs: number;
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
  readonly dataDir: string;
  /** What an embedded Tarantool takes over from our own environment. */
  readonly inherited: { readonly PATH: string | undefined; readonly HOME: string | undefined };
}
