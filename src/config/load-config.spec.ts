import 'reflect-metadata';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from './config.errors.js';
import { loadConfig } from './load-config.js';

describe('the environment', () => {
  // Holds entry.acknowledged-is-durable.
  it('has safe defaults, and no secret among them', () => {
    expect(loadConfig({})).toMatchObject({
      http: { host: '0.0.0.0', port: 5000, trustedProxies: [], shutdownTimeoutMs: 10_000 },
      limits: {
        maxKeyBytes: 512,
        maxBodyBytes: 1_048_576,
        maxDepth: 64,
        maxAnswersBytes: 67_108_864,
        maxBodiesBytes: 134_217_728,
        maxConnections: 10_000,
        maxWatchers: 10_000,
      },
      throttle: { limit: 1000, windowMs: 1000 },
      tarantool: {
        embedded: true,
        host: '127.0.0.1',
        port: 3301,
        user: 'api_user',
        timeoutMs: 2000,
        walMode: 'fsync',
        memoryMiB: 256,
        changesMiB: 32,
      },
    });
  });

  // Holds setting.tarantool-password.
  it('makes a password for an embedded Tarantool where none is given, another each time', () => {
    const passwords = [{}, {}, { TARANTOOL_PASSWORD: '' }].map(
      (variables) => loadConfig(variables).tarantool.password,
    );
    expect(new Set(passwords).size).toBe(3);
    for (const password of passwords) expect(password).toMatch(/^[\w-]{32}$/);
  });

  it('takes a variable that is set to nothing for one that is not set', () => {
    const password = { TARANTOOL_PASSWORD: 'p' };
    expect(loadConfig({ PORT: '', TARANTOOL_HOST: '', ...password })).toEqual(loadConfig(password));
  });

  // Holds setting.tarantool-host, setting.tarantool-embedded.
  it('uses an existing Tarantool where its host is given', () => {
    const { tarantool } = loadConfig({ TARANTOOL_HOST: 'db', TARANTOOL_PASSWORD: 'p' });
    expect(tarantool).toMatchObject({ embedded: false, host: 'db', port: 3301, password: 'p' });
  });

  it('hands PATH and HOME on to an embedded Tarantool, and nothing else', () => {
    const { tarantool } = loadConfig({ PATH: '/bin', HOME: '/root', LD_PRELOAD: 'x' });
    expect(tarantool.inherited).toEqual({ PATH: '/bin', HOME: '/root' });
  });

  // Holds setting.admin-token-file, setting.admin-token.
  describe('the token of the administrator', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kv-secret-'));
    const path = join(folder, 'admin-token');
    afterAll(() => rmSync(folder, { recursive: true }));
    const TOKEN = 'sixteen-letters.';
    const take = (text: string): string | undefined => {
      writeFileSync(path, text);
      return loadConfig({ ADMIN_TOKEN_FILE: path }).access.adminToken;
    };

    it('may be the content of a file, with or without an end of line', () => {
      expect([take(TOKEN), take(`${TOKEN}\n`), take(`${TOKEN}\r\n`)]).toEqual([TOKEN, TOKEN, TOKEN]);
    });

    it.each([
      ['', 'is too short'],
      ['fifteen-letters', 'is too short'],
      ['x'.repeat(1025), 'is too long'],
      [`${TOKEN} more`, 'has a space'],
      [`${TOKEN}\n\n`, 'has two lines'],
      ['umlauts-äöü-more', 'has characters that no field takes'],
    ])('%j is refused: it %s', (text) => {
      expect(() => take(text)).toThrow(
        new ConfigError(
          `ADMIN_TOKEN_FILE is "${path}", but takes a file with 16 to 1024 letters, digits and -._~+/, and = at the end`,
        ),
      );
      if (text === '') return;
      expect(() => loadConfig({ ADMIN_TOKEN: text })).toThrow(
        new ConfigError(
          'ADMIN_TOKEN is a value, but takes 16 to 1024 letters, digits and -._~+/, and = at the end',
        ),
      );
    });

    it('is refused where the file cannot be read, or there are two', () => {
      const missing = join(folder, 'none');
      expect(() => loadConfig({ ADMIN_TOKEN_FILE: missing })).toThrow(
        `ADMIN_TOKEN_FILE is "${missing}", which cannot be read: ENOENT`,
      );
      expect(() => loadConfig({ ADMIN_TOKEN_FILE: path, ADMIN_TOKEN: TOKEN })).toThrow(
        new ConfigError('ADMIN_TOKEN_FILE is set, but takes nothing where ADMIN_TOKEN is set'),
      );
    });
  });

  // Holds setting.trust-proxy.
  it('trusts addresses and networks', () => {
    const { http } = loadConfig({ TRUST_PROXY: '10.0.0.0/8, ::1' });
    expect(http.trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  });

  // Holds setting.cors-origins.
  it('takes origins as browsers send them', () => {
    expect(loadConfig({}).http.corsOrigins).toEqual([]);
    expect(loadConfig({ CORS_ORIGINS: '*' }).http.corsOrigins).toEqual(['*']);
    const origins = ['https://app.example', 'http://localhost:5173', 'chrome-extension://abcdef'];
    expect(loadConfig({ CORS_ORIGINS: origins.join(', ') }).http.corsOrigins).toEqual(origins);
  });

  // Holds setting.allowed-hosts.
  it.each([
    [{}, []],
    [{ HOST: '10.0.0.1' }, []],
    [{ HOST: '127.0.0.1' }, ['localhost', '127.0.0.1', '[::1]', '127.0.0.1']],
    [{ HOST: '::1' }, ['localhost', '127.0.0.1', '[::1]', '[::1]']],
    [{ HOST: 'localhost' }, ['localhost', '127.0.0.1', '[::1]', 'localhost']],
    [{ HOST: '127.0.0.1', ALLOWED_HOSTS: '*' }, []],
    [{ HOST: '127.0.0.1', ALLOWED_HOSTS: 'KV.example, ::1,[::2]' }, ['kv.example', '[::1]', '[::2]']],
  ])('with %j lets requests for the hosts %j pass', (variables, hosts) => {
    expect(loadConfig(variables).http.allowedHosts).toEqual(hosts);
  });

  // Holds setting.trust-proxy, setting.cors-origins, setting.allowed-hosts, setting.tarantool-password.
  // Holds setting.tarantool-host.
  it.each([
    ['PORT', '65536', 'PORT is "65536", but takes a whole number from 0 to 65535'],
    ['PORT', '-1', 'PORT is "-1", but takes a whole number from 0 to 65535'],
    [
      'TARANTOOL_PORT',
      'tcp://10.0.0.1:3301',
      'TARANTOOL_PORT is "tcp://10.0.0.1:3301", but takes a whole number from 1 to 65535; this looks like a Kubernetes service link: ' +
        'set enableServiceLinks: false in the pod, or rename the service',
    ],
    ['WORKERS', '0', 'WORKERS is "0", but takes a whole number from 1 to 256'],
    ['THROTTLE_LIMIT', '-1', 'THROTTLE_LIMIT is "-1", but takes a whole number from 0 to 1000000000'],
    ['THROTTLE_TTL', '1e3', 'THROTTLE_TTL is "1e3", but takes a whole number from 10 to 86400000 (ms)'],
    [
      'TRUST_PROXY',
      'everyone',
      'TRUST_PROXY is "everyone", but takes addresses or CIDRs, separated by commas',
    ],
    ...[
      'app.example',
      'https://app.example/',
      'https://app.example:443',
      'null',
      '*,https://a',
      'https://*.a',
    ].map((origin) => [
      'CORS_ORIGINS',
      origin,
      `CORS_ORIGINS is "${origin}", but takes origins such as https://app.example, separated by commas, or *`,
    ]),
    ...['kv.example:80', 'http://kv.example', '*,a', '[::1]:80', 'a b'].map((host) => [
      'ALLOWED_HOSTS',
      host,
      `ALLOWED_HOSTS is "${host}", but takes host names or addresses without a port, separated by commas, or *`,
    ]),
    [
      'LOG_LEVEL',
      'loud',
      'LOG_LEVEL is "loud", but takes one of fatal, error, warn, info, debug, trace, silent',
    ],
    ['TARANTOOL_WAL_MODE', 'none', 'TARANTOOL_WAL_MODE is "none", but takes one of fsync, write'],
    [
      'TARANTOOL_EMBEDDED',
      'false',
      'TARANTOOL_HOST is not set, but takes a host name where TARANTOOL_EMBEDDED is false',
    ],
    ...['http://db', 'db:3301', '[::1]', 'a b', '/run/db.sock'].map((host) => [
      'TARANTOOL_HOST',
      host,
      `TARANTOOL_HOST is "${host}", but takes a host name or address without a port`,
    ]),
    ['TARANTOOL_HOST', 'db', 'TARANTOOL_PASSWORD is not set, but takes the password of TARANTOOL_USER'],
  ])('%s=%s is refused with what it got and what it takes', (name, value, line) => {
    expect(() => loadConfig({ [name]: value })).toThrow(new ConfigError(line));
  });

  // Holds setting.max-bodies-mib.
  it('refuses to hold less of all bodies than one client needs for the largest', () => {
    expect(() => loadConfig({ MAX_BODIES_MIB: '3', MAX_BODY_BYTES: '1600000' })).toThrow(
      new ConfigError(
        'MAX_BODIES_MIB is "3", but takes at least twice MAX_BODY_BYTES: one client may hold half of it',
      ),
    );
    expect(loadConfig({ MAX_BODIES_MIB: '4', MAX_BODY_BYTES: '1600000' }).limits.maxBodiesBytes).toBe(
      4_194_304,
    );
  });

  it('never repeats a password', () => {
    expect(() => loadConfig({ TARANTOOL_HOST: 'db', TARANTOOL_PASSWORD: 'secret', PORT: 'x' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('secret') as string }) as Error,
    );
  });
});
