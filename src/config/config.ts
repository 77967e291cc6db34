/** The configuration, grouped by who uses it. Read once by `loadConfig`; everything else is handed a group of it. */
export interface Config {
  workers: number;
  http: HttpConfig;
  limits: LimitsConfig;
  throttle: ThrottleConfig;
  log: LogConfig;
  tarantool: TarantoolConfig;
}

export interface HttpConfig {
  host: string;
  port: number;
  /** Addresses or CIDRs of proxies whose `X-Forwarded-For` is believed; empty: none. */
  trustedProxies: string[];
  /** Origins whose pages may use the service; empty: none, and no CORS. `*` stands for all. */
  corsOrigins: string[];
  /** Names that `Host` may have, in lower case and without a port; empty: any. */
  allowedHosts: string[];
  shutdownTimeoutMs: number;
  /** A whole request must have arrived in this time, however slowly it is sent. */
  requestTimeoutMs: number;
}

export interface LimitsConfig {
  maxKeyBytes: number;
  maxBodyBytes: number;
  /** Memory in bytes of all bodies that are not complete, in each process. */
  maxBodiesBytes: number;
  /** In each process. */
  maxConnections: number;
  maxDepth: number;
  /** Of a process: large answers on their way from the store, made, and waiting for clients. */
  maxAnswersBytes: number;
}

export interface ThrottleConfig {
  /** Requests for each client in a window; 0 turns the limit off. */
  limit: number;
  windowMs: number;
}

export interface LogConfig {
  level: string;
  format: 'json' | 'pretty';
}

export interface TarantoolConfig {
  embedded: boolean;
  host: string;
  port: number;
  user: string;
  password: string;
  timeoutMs: number;
  walMode: 'fsync' | 'write';
  memoryMiB: number;
  dataDir: string;
  /** What an embedded Tarantool takes over from our own environment. */
  inherited: { PATH: string | undefined; HOME: string | undefined };
}
