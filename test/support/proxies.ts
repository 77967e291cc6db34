import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = readFileSync(fileURLToPath(new URL('../../docs/proxies.md', import.meta.url)), 'utf8');

const isRoot = process.getuid?.() === 0;

/** Debian's modules for Apache. Its package enables them by links in /etc. */
const APACHE_MODULES = ['mpm_event', 'authz_core', 'headers', 'proxy', 'proxy_http'];

const NGINX_FOLDERS = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

/** A program for which docs/proxies.md has a configuration. */
export interface Proxy {
  readonly name: string;
  readonly command: string;
  /** The language of its code block on the page. */
  readonly language: string;
  /** The settings that the block needs in addition, to run in a folder of its own without administrator rights. */
  wrap(config: string, folder: string): string;
  args(file: string, folder: string): string[];
}

const asItIs = (config: string): string => config;

export const NGINX: Proxy = {
  name: 'nginx',
  command: 'nginx',
  language: 'nginx',
  wrap: (config, folder) => {
    const folders = NGINX_FOLDERS.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ');
    const user = isRoot ? 'user root;' : '';
    return `daemon off; ${user} pid ${folder}/pid;\n${config.replace('http {', `http { access_log off; ${folders}`)}`;
  },
  args: (file, folder) => ['-p', folder, '-c', file, '-e', 'stderr'],
};

export const CADDY: Proxy = {
  name: 'Caddy',
  command: 'caddy',
  language: 'caddyfile',
  wrap: asItIs,
  args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
};

export const APACHE: Proxy = {
  name: 'Apache',
  command: 'apache2',
  language: 'apache',
  wrap: (config, folder) =>
    [
      `ServerRoot ${folder}`,
      'ServerName 127.0.0.1',
      `PidFile ${folder}/pid`,
      `DefaultRuntimeDir ${folder}`,
      `ErrorLog ${folder}/error.log`,
      'Mutex pthread',
      ...(isRoot ? ['User www-data', 'Group www-data'] : []),
      ...APACHE_MODULES.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`),
      config,
    ].join('\n'),
  args: (file) => ['-D', 'FOREGROUND', '-f', file],
};

export const VARNISH: Proxy = {
  name: 'Varnish',
  command: 'varnishd',
  language: 'vcl',
  wrap: asItIs,
  args: (file, folder) => [
    '-F',
    '-j',
    'none',
    '-n',
    folder,
    '-f',
    file,
    '-a',
    '127.0.0.1:8080',
    '-s',
    'malloc,16m',
  ],
};

export const PROXIES: readonly Proxy[] = [
  NGINX,
  {
    name: 'HAProxy',
    command: 'haproxy',
    language: 'haproxy',
    wrap: asItIs,
    args: (file) => ['-db', '-f', file],
  },
  CADDY,
  APACHE,
  VARNISH,
];

/** Those that are installed, and a line for each that is not. */
export const INSTALLED: ReadonlySet<Proxy> = new Set(
  PROXIES.filter(({ command }) => {
    const isInstalled = spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
    if (!isInstalled) console.log(`skipped: there is no ${command} on PATH`);
    return isInstalled;
  }),
);

/** The configuration on the page: it listens on 8080, in front of a service on 5000. */
export function documented({ language }: Proxy): string {
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(PAGE)?.[1];
  if (block === undefined) throw new Error(`docs/proxies.md has no block of ${language}`);
  return block;
}
