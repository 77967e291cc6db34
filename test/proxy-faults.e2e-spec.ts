import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INSTALLED, PROXIES } from './support/proxies.js';
import { PROXY_FAULTS } from './support/proxy-faults.js';
import { directPort } from './support/proxy-probes.js';
import { ProxyProcess } from './support/proxy-process.js';
import { startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

// What docs/proxies.md warns of happens, and does not with its own configuration. Retries are in proxy-retries.e2e-spec.ts.

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp({ MAX_BODY_BYTES: '2000000' });
});
afterAll(async () => {
  await service.stop();
});

const warnedOf = PROXIES.filter((proxy) => PROXY_FAULTS.some((fault) => fault.proxy === proxy));

for (const proxy of warnedOf) {
  describe.skipIf(!INSTALLED.has(proxy))(`${proxy.name}, where it is configured otherwise`, () => {
    let own: ProxyProcess;
    beforeAll(async () => {
      own = await ProxyProcess.start(proxy, directPort(service));
    });
    afterAll(async () => {
      await own?.stop();
    });

    it.each(PROXY_FAULTS.filter((fault) => fault.proxy === proxy))('$what', async (fault) => {
      const changed = await ProxyProcess.start(proxy, directPort(service), fault.changes);
      try {
        expect(await fault.ask(changed.port, service)).toEqual(fault.changed);
      } finally {
        await changed.stop();
      }
      expect(await fault.ask(own.port, service)).toEqual(fault.own);
    });
  });
}
