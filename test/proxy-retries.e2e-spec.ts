import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { ClosingGateway } from './support/closing-gateway.js';
import { INSTALLED, NGINX, PROXIES, VARNISH } from './support/proxies.js';
import type { Proxy } from './support/proxies.js';
import { ProxyProcess } from './support/proxy-process.js';
import type { Change } from './support/proxy-process.js';
import { send } from './support/send.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const NO_ANSWER = 'no answer';

let service: TestApp;
let direct: number;
let gateway: ClosingGateway;
beforeAll(async () => {
  service = await startTestApp();
  direct = Number(new URL(service.url).port);
  gateway = await ClosingGateway.start(direct);
});
afterAll(async () => {
  await gateway.stop();
  await service.stop();
});

/** Sends a write that is applied, and whose connection then closes, through a proxy that had connections open. */
async function write(port: number, method: string, path: string, body?: object) {
  await send(direct, 'PUT', '/kv/once?upsert=true', { body: { value: {} } });
  await send(direct, 'DELETE', '/kv/new');
  for (let i = 0; i < 3; i++) await send(port, 'GET', '/kv/state');
  gateway.writes = 0;
  const answer = await send(port, method, path, { body }).catch(() => ({
    status: NO_ANSWER,
    body: undefined,
  }));
  return { status: answer.status, writes: gateway.writes, body: answer.body };
}

for (const proxy of PROXIES) {
  describe.skipIf(!INSTALLED.has(proxy))(`${proxy.name}, when the service dies before its answer`, () => {
    let running: ProxyProcess;
    beforeAll(async () => {
      running = await ProxyProcess.start(proxy, gateway.port);
    });
    afterAll(async () => {
      await running?.stop();
    });

    it.each([
      ['PUT', '/kv/once', { value: { a: 1 } }],
      ['PATCH', '/kv/once', { a: 1 }],
      ['POST', '/kv', { key: 'new', value: {} }],
      ['DELETE', '/kv/once', undefined],
    ])('sends a %s once, and never says 503, which would mean: not applied', async (method, path, body) => {
      const { status, writes } = await write(running.port, method, path, body);
      expect(writes).toBe(1);
      expect([502, NO_ANSWER]).toContain(status);
    });
  });
}

const wrong: readonly (readonly [Proxy, Change])[] = [
  [NGINX, ['proxy_next_upstream off;', '']],
  [VARNISH, ['return (pipe);', 'return (pass);']],
];
for (const [proxy, change] of wrong) {
  it.skipIf(!INSTALLED.has(proxy))(
    `${proxy.name}, otherwise configured, has a DELETE applied twice, and answers 404`,
    async () => {
      const running = await ProxyProcess.start(proxy, gateway.port, [change]);
      try {
        const seen = await write(running.port, 'DELETE', '/kv/once');
        expect(seen).toEqual({ status: 404, writes: 2, body: answers.keyNotFound });
      } finally {
        await running.stop();
      }
    },
  );
}
