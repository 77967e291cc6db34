import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Config } from './config.js';
import { ConfigError } from './config.errors.js';
import { loadConfig } from './load-config.js';

const PAGE = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
const TABLE = PAGE.slice(PAGE.indexOf('| variable '), PAGE.indexOf('\n\n', PAGE.indexOf('| variable ')));

/** Variable, default and what it takes, as the page has them. */
const ROWS = [...TABLE.matchAll(/^\| `(\w+)` +\| (.+?) +\| (.+?) +\|/gm)].map(
  ([, name = '', preset = '', takes = '']) => ({ name, preset: preset.replaceAll('`', ''), takes }),
);

const MIB = 1024 * 1024;

/** Where each variable is found in the configuration, in its own unit. */
const SETTINGS: Record<string, (config: Config) => unknown> = {
  HOST: ({ http }) => http.host,
  PORT: ({ http }) => http.port,
  WORKERS: ({ workers }) => workers,
  LOG_LEVEL: ({ log }) => log.level,
  LOG_FORMAT: ({ log }) => log.format,
  TRUST_PROXY: ({ http }) => http.trustedProxies,
  CORS_ORIGINS: ({ http }) => http.corsOrigins,
  ALLOWED_HOSTS: ({ http }) => http.allowedHosts,
  THROTTLE_LIMIT: ({ throttle }) => throttle.limit,
  THROTTLE_TTL: ({ throttle }) => throttle.windowMs,
  MAX_KEY_BYTES: ({ limits }) => limits.maxKeyBytes,
  MAX_BODY_BYTES: ({ limits }) => limits.maxBodyBytes,
  MAX_BODIES_MIB: ({ limits }) => limits.maxBodiesBytes / MIB,
  MAX_CONNECTIONS: ({ limits }) => limits.maxConnections,
  MAX_DEPTH: ({ limits }) => limits.maxDepth,
  MAX_ANSWERS_MIB: ({ limits }) => limits.maxAnswersBytes / MIB,
  MAX_WATCHERS: ({ limits }) => limits.maxWatchers,
  METRICS: ({ metrics }) => metrics,
  ADMIN_TOKEN: ({ access }) => access.adminToken,
  ADMIN_TOKEN_FILE: ({ access }) => access.adminToken,
  TARANTOOL_EMBEDDED: ({ tarantool }) => tarantool.embedded,
  TARANTOOL_HOST: ({ tarantool }) => tarantool.host,
  TARANTOOL_PORT: ({ tarantool }) => tarantool.port,
  TARANTOOL_USER: ({ tarantool }) => tarantool.user,
  TARANTOOL_PASSWORD: ({ tarantool }) => tarantool.password,
  TARANTOOL_TIMEOUT: ({ tarantool }) => tarantool.timeoutMs,
  TARANTOOL_WAL_MODE: ({ tarantool }) => tarantool.walMode,
  TARANTOOL_MEMORY: ({ tarantool }) => tarantool.memoryMiB,
  CHANGES_MEMORY: ({ tarantool }) => tarantool.changesMiB,
  IDEMPOTENCY_MEMORY: ({ tarantool }) => tarantool.retriesMiB,
  IDEMPOTENCY_TTL: ({ tarantool }) => tarantool.retriesTtlS,
  DATA_DIR: ({ tarantool }) => tarantool.dataDir,
  SHUTDOWN_TIMEOUT: ({ http }) => http.shutdownTimeoutMs,
};

/** Defaults that the page says in words. */
const IN_WORDS: Record<string, unknown> = {
  WORKERS: availableParallelism(),
  LOG_FORMAT: process.stdout.isTTY ? 'pretty' : 'json',
  TRUST_PROXY: [],
  CORS_ORIGINS: [],
  ALLOWED_HOSTS: [],
  ADMIN_TOKEN: undefined,
  ADMIN_TOKEN_FILE: undefined,
  TARANTOOL_EMBEDDED: true,
  TARANTOOL_HOST: '127.0.0.1',
  TARANTOOL_PASSWORD: expect.stringMatching(/^\S{32}$/) as string,
  DATA_DIR: resolve('./data'),
};

describe('the table of settings', () => {
  it('has a row for each, and no other', () => {
    expect(ROWS.map(({ name }) => name).toSorted()).toEqual(Object.keys(SETTINGS).toSorted());
  });

  // Holds setting.max-watchers, setting.changes-memory.
  // Holds setting.host, setting.port, setting.workers, setting.log-level, setting.log-format.
  // Holds setting.trust-proxy, setting.cors-origins, setting.allowed-hosts, setting.throttle-limit.
  // Holds setting.throttle-ttl, setting.max-key-bytes, setting.max-body-bytes, setting.max-bodies-mib.
  // Holds setting.max-connections, setting.max-depth, setting.max-answers-mib, setting.tarantool-embedded.
  // Holds setting.tarantool-host, setting.tarantool-port, setting.tarantool-user, setting.tarantool-password.
  // Holds setting.tarantool-timeout, setting.tarantool-wal-mode, setting.tarantool-memory, setting.data-dir.
  // Holds setting.shutdown-timeout.
  it.each(ROWS)('says the default of $name', ({ name, preset }) => {
    const value = SETTINGS[name]?.(loadConfig({}));
    expect(name in IN_WORDS ? value : String(value)).toEqual(name in IN_WORDS ? IN_WORDS[name] : preset);
  });

  const ranges = ROWS.flatMap(({ name, takes }) => {
    const [, min, max] = /^(\d+)…(\d+)/.exec(takes) ?? [];
    return min === undefined || max === undefined ? [] : [{ name, min: Number(min), max: Number(max) }];
  });

  // The smallest body leaves MAX_BODIES_MIB its whole range.
  // Holds setting.port, setting.workers, setting.throttle-limit, setting.throttle-ttl, setting.max-key-bytes.
  // Holds setting.max-body-bytes, setting.max-bodies-mib, setting.max-connections, setting.max-depth.
  // Holds setting.max-answers-mib, setting.tarantool-port, setting.tarantool-timeout, setting.tarantool-memory.
  // Holds setting.shutdown-timeout.
  it.each(ranges)('says the range of $name: from $min to $max', ({ name, min, max }) => {
    const load = (value: number) => loadConfig({ MAX_BODY_BYTES: '64', [name]: String(value) });
    for (const value of [min, max]) expect(SETTINGS[name]?.(load(value))).toBe(value);
    for (const value of [min - 1, max + 1, min + 0.5]) expect(() => load(value)).toThrow(ConfigError);
  });

  // Holds setting.host, setting.tarantool-host, setting.tarantool-user, setting.tarantool-password.
  // Holds setting.data-dir, setting.admin-token.
  it.each([
    ['HOST', '::1'],
    ['TARANTOOL_HOST', 'db'],
    ['TARANTOOL_USER', 'somebody'],
    ['TARANTOOL_PASSWORD', 'p'],
    ['ADMIN_TOKEN', 'a-token_of.16~+/='],
    ['DATA_DIR', '/somewhere'],
  ])('lets %s be %s', (name, value) => {
    expect(SETTINGS[name]?.(loadConfig({ TARANTOOL_PASSWORD: 'secret', [name]: value }))).toBe(value);
  });

  const words = ROWS.filter(({ takes }) => /^[a-z]+(?:, [a-z]+)+$/.test(takes) && !takes.includes('with'));

  // Holds setting.metrics.
  // Holds setting.log-level, setting.log-format, setting.tarantool-embedded, setting.tarantool-wal-mode.
  it.each(words)('says what $name takes: $takes', ({ name, takes }) => {
    // To do without a Tarantool of our own there must be another.
    const other = { TARANTOOL_HOST: 'db', TARANTOOL_PASSWORD: 'p' };
    const load = (value: string) => loadConfig({ ...(value === 'false' ? other : {}), [name]: value });
    for (const word of takes.split(', ')) expect(String(SETTINGS[name]?.(load(word)))).toBe(word);
    expect(() => load('other')).toThrow(ConfigError);
  });
});
