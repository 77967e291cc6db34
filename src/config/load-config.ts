import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { randomBytes } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import type { Config } from './config.js';
import { ConfigError } from './config.errors.js';
import { isSecret, SECRET_FORM } from './constraints.js';
import { Environment } from './environment.js';
import { isLoopback } from './is-loopback.js';
import { readSecret } from './read-secret.js';

const MIB = 1_048_576;

/** Longer than an honest client on a slow line needs for a body of the default size: 1 MiB at 300 kbit/s. */
const REQUEST_TIMEOUT_MS = 30_000;

const SECRETS = new Set(['ADMIN_TOKEN', 'TARANTOOL_PASSWORD']);

/** https://kubernetes.io/docs/tutorials/services/connect-applications-service/#environment-variables */
const SERVICE_LINK = /^(tcp|udp|sctp):\/\//;
const SERVICE_LINK_ADVICE =
  '; this looks like a Kubernetes service link: set enableServiceLinks: false in the pod, or rename the service';

/**
 * Turns environment variables into the configuration. An empty variable counts as not set.
 * @throws {ConfigError} naming the variable, its value and what it accepts.
 */
export function loadConfig(variables: NodeJS.ProcessEnv): Config {
  const env = readEnvironment(variables);
  const embedded = env.TARANTOOL_EMBEDDED ? env.TARANTOOL_EMBEDDED === 'true' : !env.TARANTOOL_HOST;
  checkTogether(env, embedded);
  return {
    workers: env.WORKERS,
    http: {
      host: env.HOST,
      port: env.PORT,
      trustedProxies: env.TRUST_PROXY,
      corsOrigins: env.CORS_ORIGINS,
      allowedHosts: allowedHosts(env.ALLOWED_HOSTS ?? ownHosts(env.HOST)),
      shutdownTimeoutMs: env.SHUTDOWN_TIMEOUT,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
    },
    limits: {
      maxKeyBytes: env.MAX_KEY_BYTES,
      maxBodyBytes: env.MAX_BODY_BYTES,
      maxBodiesBytes: env.MAX_BODIES_MIB * MIB,
      maxConnections: env.MAX_CONNECTIONS,
      maxDepth: env.MAX_DEPTH,
      maxWatchers: env.MAX_WATCHERS,
      maxAnswersBytes: env.MAX_ANSWERS_MIB * MIB,
    },
    throttle: { limit: env.THROTTLE_LIMIT, windowMs: env.THROTTLE_TTL },
    access: { adminToken: adminToken(env) },
    metrics: env.METRICS === 'true',
    log: { level: env.LOG_LEVEL, format: env.LOG_FORMAT },
    tarantool: {
      embedded,
      host: env.TARANTOOL_HOST ?? '127.0.0.1',
      port: env.TARANTOOL_PORT,
      user: env.TARANTOOL_USER,
      // A random password that nobody knows. Workers get it from the primary.
      password: env.TARANTOOL_PASSWORD ?? randomBytes(24).toString('base64url'),
      timeoutMs: env.TARANTOOL_TIMEOUT,
      walMode: env.TARANTOOL_WAL_MODE,
      memoryMiB: env.TARANTOOL_MEMORY,
      changesMiB: env.CHANGES_MEMORY,
      retriesMiB: env.IDEMPOTENCY_MEMORY,
      retriesTtlS: env.IDEMPOTENCY_TTL,
      dataDir: resolve(env.DATA_DIR),
      inherited: { PATH: variables['PATH'], HOME: variables['HOME'] },
    },
  };
}

/** The variables, each checked by itself. */
function readEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const names = Object.keys(new Environment()).concat(
    'ADMIN_TOKEN',
    'ADMIN_TOKEN_FILE',
    'ALLOWED_HOSTS',
    'TARANTOOL_EMBEDDED',
    'TARANTOOL_HOST',
    'TARANTOOL_PASSWORD',
  );
  const given = Object.fromEntries(
    names.filter((name) => variables[name]).map((name) => [name, variables[name]]),
  );
  const env = plainToInstance(Environment, given, { exposeDefaultValues: true });

  for (const { property, constraints } of validateSync(env)) {
    const got = SECRETS.has(property) ? 'a value' : `"${variables[property]}"`;
    const takes = Object.values(constraints ?? {}).join(', ');
    const advice = SERVICE_LINK.test(variables[property] ?? '') ? SERVICE_LINK_ADVICE : '';
    throw new ConfigError(`${property} is ${got}, but takes ${takes}${advice}`);
  }
  return env;
}

/** What the variables require of each other. */
function checkTogether(env: Environment, embedded: boolean): void {
  if (embedded && env.TARANTOOL_HOST) {
    throw new ConfigError('TARANTOOL_EMBEDDED is "true", but takes false where TARANTOOL_HOST is set');
  }
  if (!embedded && !env.TARANTOOL_HOST) {
    throw new ConfigError(
      'TARANTOOL_HOST is not set, but takes a host name where TARANTOOL_EMBEDDED is false',
    );
  }
  if (!embedded && !env.TARANTOOL_PASSWORD) {
    throw new ConfigError('TARANTOOL_PASSWORD is not set, but takes the password of TARANTOOL_USER');
  }

  if (env.MAX_BODIES_MIB * MIB < 2 * env.MAX_BODY_BYTES) {
    throw new ConfigError(
      `MAX_BODIES_MIB is "${env.MAX_BODIES_MIB}", but takes at least twice MAX_BODY_BYTES: one client may hold half of it`,
    );
  }
}

/** @throws {ConfigError} */
function adminToken({ ADMIN_TOKEN: token, ADMIN_TOKEN_FILE: path }: Environment): string | undefined {
  if (path === undefined) return token;
  if (token !== undefined) {
    throw new ConfigError('ADMIN_TOKEN_FILE is set, but takes nothing where ADMIN_TOKEN is set');
  }
  const secret = readSecret('ADMIN_TOKEN_FILE', path);
  if (!isSecret(secret))
    throw new ConfigError(`ADMIN_TOKEN_FILE is "${path}", but takes a file with ${SECRET_FORM}`);
  return secret;
}

/**
 * A service that listens on a loopback address is called by a loopback name. The names of other addresses are not
 * known here.
 */
function ownHosts(host: string): string[] {
  return isLoopback(host) ? ['localhost', '127.0.0.1', '::1', host] : ['*'];
}

/** The hosts as they stand in `Host`: IPv6 addresses have brackets (RFC 3986 §3.2.2). */
function allowedHosts(hosts: string[]): string[] {
  if (hosts.includes('*')) return [];
  return hosts.map((host) => (isIPv6(host) ? `[${host}]` : host).toLowerCase());
}
