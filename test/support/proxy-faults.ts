import { answers } from './answers.js';
import { APACHE, CADDY, NGINX, VARNISH } from './proxies.js';
import type { Proxy } from './proxies.js';
import {
  compareAndSet,
  connectionsFor20Requests,
  directPort,
  readWhileMade,
  statusAndType,
  upsert,
  written,
} from './proxy-probes.js';
import type { Change } from './proxy-process.js';
import { send } from './send.js';
import type { TestApp } from './test-app.js';

const LONG_LINE = `/kv?prefix=${'x'.repeat(14_000)}`;
const LARGE_BODY = { value: { text: 'x'.repeat(1_200_000) } };

/** A row of the table "What silently corrupts" of docs/proxies.md. */
export interface ProxyFault {
  readonly proxy: Proxy;
  readonly what: string;
  readonly changes: readonly Change[];
  /** The observation through a proxy on this port. */
  ask(port: number, service: TestApp): Promise<unknown>;
  /** The expected observation with the changes. */
  readonly changed: unknown;
  /** The expected observation with the configuration of the page. */
  readonly own: unknown;
}

const kept = (key: string, other: string) => [{ value: { is: key } }, { value: { was: other } }];
const overwritten = (key: string) => [{ value: { was: key } }, { value: { is: key } }];

export const PROXY_FAULTS: readonly ProxyFault[] = [
  {
    proxy: NGINX,
    what: 'a path in proxy_pass has another key overwritten',
    changes: [['proxy_pass http://kv;', 'proxy_pass http://kv/;']],
    ask: (port, service) => written(port, service, 'x/../y', 'y'),
    changed: overwritten('x/../y'),
    own: kept('x/../y', 'y'),
  },
  {
    proxy: APACHE,
    what: 'without nocanon, and with AllowEncodedSlashes On, another key is overwritten',
    changes: [
      [' nocanon', ''],
      ['AllowEncodedSlashes NoDecode', 'AllowEncodedSlashes On'],
    ],
    ask: (port, service) => written(port, service, 'x/../y', 'y'),
    changed: overwritten('x/../y'),
    own: kept('x/../y', 'y'),
  },
  {
    proxy: APACHE,
    what: 'without nocanon alone another key is overwritten',
    changes: [[' nocanon', '']],
    ask: (port, service) => written(port, service, '%2F', '/'),
    changed: overwritten('%2F'),
    own: kept('%2F', '/'),
  },
  {
    proxy: APACHE,
    what: 'without AllowEncodedSlashes keys with a slash cannot be asked for',
    changes: [['AllowEncodedSlashes NoDecode', '']],
    ask: (port) => statusAndType(port, 'PUT', '/kv/a%2Fb?upsert=true', { value: {} }),
    changed: [404, 'text/html'],
    own: [200, 'application/json'],
  },
  {
    proxy: CADDY,
    what: 'a host in the address of the site has writes for any other host answered 200, and lost',
    changes: [['http://:8080', 'http://127.0.0.1:8080']],
    ask: async (port, service) => {
      const direct = directPort(service);
      await upsert(direct, 'host', { is: 'before' });
      const options = { body: { value: { is: 'after' } }, fields: { Host: 'kv.example' } };
      const { status, body } = await send(port, 'PUT', '/kv/host', options);
      return [status, body, (await send(direct, 'GET', '/kv/host')).body];
    },
    changed: [200, '', { value: { is: 'before' } }],
    own: [200, answers.updated, { value: { is: 'after' } }],
  },
  {
    proxy: NGINX,
    what: 'gzip weakens the tag, and If-Match takes it all the same',
    changes: [['gzip on;', '']],
    ask: compareAndSet,
    changed: ['"n"', 200],
    own: ['W/"n"', 200],
  },
  {
    proxy: APACHE,
    what: 'mod_deflate changes the tag',
    changes: [
      [
        'Listen',
        [
          'LoadModule filter_module /usr/lib/apache2/modules/mod_filter.so',
          'LoadModule deflate_module /usr/lib/apache2/modules/mod_deflate.so',
          'AddOutputFilterByType DEFLATE application/json',
          'Listen',
        ].join('\n'),
      ],
    ],
    ask: compareAndSet,
    changed: ['"n-gzip"', 412],
    own: ['"n"', 200],
  },
  {
    proxy: VARNISH,
    what: 'without our Cache-Control a 404 is kept',
    changes: [
      ['return (pass);', ''],
      ['sub vcl_pipe', 'sub vcl_backend_response { unset beresp.http.Cache-Control; }\nsub vcl_pipe'],
    ],
    ask: readWhileMade,
    changed: [404, 404],
    own: [404, 200],
  },
  {
    proxy: VARNISH,
    what: 'as a cache it leaves out If-Match of a GET',
    changes: [['return (pass);', '']],
    ask: async (port, service) => {
      const read = await readWhileMade(port, service);
      return [...read, (await send(port, 'GET', '/kv/late', { fields: { 'If-Match': '"1"' } })).status];
    },
    changed: [404, 200, 200],
    own: [404, 200, 412],
  },
  {
    proxy: NGINX,
    what: 'its own limit of bodies answers in HTML',
    changes: [['client_max_body_size 4m;', '']],
    ask: (port) => statusAndType(port, 'PUT', '/kv/state', LARGE_BODY),
    changed: [413, 'text/html'],
    own: [200, 'application/json'],
  },
  {
    proxy: NGINX,
    what: 'its own limit of the request line answers in HTML',
    changes: [['large_client_header_buffers 4 16k;', '']],
    ask: (port) => statusAndType(port, 'GET', LONG_LINE),
    changed: [414, 'text/html'],
    own: [400, 'application/json'],
  },
  {
    proxy: APACHE,
    what: 'its own limit of the request line answers in HTML',
    changes: [['LimitRequestLine 16384', '']],
    ask: (port) => statusAndType(port, 'GET', LONG_LINE),
    changed: [414, 'text/html'],
    own: [400, 'application/json'],
  },
  {
    proxy: NGINX,
    what: 'without Connection "" each request has a connection of its own to the service',
    changes: [['proxy_set_header Connection "";', '']],
    ask: connectionsFor20Requests,
    changed: 20,
    own: 0,
  },
];
