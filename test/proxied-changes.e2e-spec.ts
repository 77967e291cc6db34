import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { client } from './support/client.js';
import { EventSourceClient } from './support/event-source.js';
import { INSTALLED, NGINX, PROXIES } from './support/proxies.js';
import type { Proxy } from './support/proxies.js';
import { ProxyProcess } from './support/proxy-process.js';
import { send } from './support/send.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const HAPROXY = PROXIES.find(({ name }) => name === 'HAProxy') ?? NGINX;

/** A proxy that is configured in another way than docs/proxies.md has it. */
const configured = (proxy: Proxy, config: string): Proxy => ({
  ...proxy,
  wrap: (_documented, folder) => proxy.wrap(config, folder),
});

const nginx = (settings: string): string => `
  events {}
  http {
    ${settings}
    server {
      listen 127.0.0.1:8080;
      location / { proxy_pass http://127.0.0.1:5000; }
    }
  }`;

/** As in Debian's file, without its log and its error pages. */
const HAPROXY_DEFAULTS = `
defaults
  mode http
  timeout connect 5000
  timeout client 50000
  timeout server 50000
frontend http
  bind 127.0.0.1:8080
  default_backend kv
backend kv
  server kv1 127.0.0.1:5000
`;

const CASES: readonly (readonly [what: string, base: Proxy, proxy: Proxy])[] = [
  ...PROXIES.map((proxy) => [`${proxy.name}, as docs/proxies.md configures it`, proxy, proxy] as const),
  ['nginx with its defaults', NGINX, configured(NGINX, nginx(''))],
  [
    'nginx that compresses streams and JSON',
    NGINX,
    configured(NGINX, nginx('gzip on; gzip_types text/event-stream application/json; gzip_min_length 1;')),
  ],
  ['HAProxy with its defaults', HAPROXY, configured(HAPROXY, HAPROXY_DEFAULTS)],
];

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.stop());

const { api, insert, newKey } = client(() => service.url);

const ACCEPT = [{ 'Accept-Encoding': 'gzip' }, { 'Accept-Encoding': 'identity' }];

describe.each(CASES)('behind %s', (_what, base, proxy) => {
  let running: ProxyProcess;
  beforeAll(async () => {
    if (INSTALLED.has(base)) running = await ProxyProcess.start(proxy, Number(new URL(service.url).port));
  });
  afterAll(() => running?.stop());

  const tail = async (): Promise<string> =>
    String((await api().get('/changes?offset=now').expect(200, [])).headers['stream-next-offset']);

  // Holds changes.sse, changes.sse-fields.
  it.runIf(INSTALLED.has(base)).each(ACCEPT)(
    'each event arrives while the stream is open: %o',
    async (fields) => {
      const prefix = newKey();
      const url = `http://127.0.0.1:${running.port}/changes?live=sse&offset=${await tail()}&prefix=${prefix}`;
      const stream = await EventSourceClient.open(url, fields);
      onTestFinished(() => stream.close());
      expect(stream.answer.statusCode).toBe(200);
      const versions = (): unknown[] =>
        stream.messages.map((message) => (message as { version: string }).version);
      const written: string[] = [];
      // The next one is written when the last one has arrived. So none can push out the one before.
      for (let n = 0; n < 5; n++) {
        written.push(await insert(`${prefix}/${n}`, { n }));
        await expect.poll(versions, { interval: 5 }).toEqual(written);
      }
      const text = 'x'.repeat(200_000);
      for (let n = 5; n < 15; n++)
        written.push(await insert(`${prefix}/${n}`, n % 5 === 0 ? { text } : { n }));
      await expect.poll(versions).toEqual(written);
      await expect.poll(() => stream.control).toMatchObject({ upToDate: true });
      expect(stream.isEnded).toBe(false);
    },
  );

  // Holds changes.long-poll, changes.long-poll-204.
  it.runIf(INSTALLED.has(base))('a long poll is answered by a change, or in the end', async () => {
    const prefix = newKey();
    const poll = (query: string) =>
      send(running.port, 'GET', `/changes?live=long-poll&prefix=${prefix}&${query}`, {
        fields: { 'Accept-Encoding': 'gzip' },
      });
    const polled = poll(`offset=${await tail()}`);
    const version = await insert(prefix, { text: 'x'.repeat(1000) });
    const { body, fields } = await polled;
    expect(body).toMatchObject([{ key: prefix, version }]);
    const rest = await poll(`offset=${String(fields['stream-next-offset'])}&timeout=1`);
    expect([rest.status, rest.fields['stream-up-to-date']]).toEqual([204, 'true']);
  });
});
