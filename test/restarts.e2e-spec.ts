import { afterEach, describe, expect, it } from 'vitest';
import { LoopingClients } from './support/looping-clients.js';
import { ServiceProcess } from './support/service-process.js';

/** RESTARTS=20 makes a longer run. */
const RESTARTS = Number(process.env['RESTARTS'] ?? 1);
const RESTART_MS = 30_000;

let service: ServiceProcess;
afterEach(() => service.remove());

describe('stopping under clients that keep their connections', () => {
  it.each(['1', '2'])(
    'cuts off no request (WORKERS=%s)',
    async (workers) => {
      service = await ServiceProcess.start({ WORKERS: workers });
      // `fetch` loads its modules when it is first used.
      expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
      const clients = new LoopingClients(service.url, 60);
      try {
        for (let restarts = 0; restarts < RESTARTS; restarts++) {
          // By then each client has its connection. The system may reset a connection that is being made when
          // listening stops.
          const before = [...clients.answered];
          const isAnswered = (): boolean =>
            clients.answered.every((count, n) => count > (before[n] ?? 0) + 10);
          await expect.poll(isAnswered, { interval: 10 }).toBe(true);
          expect(await service.signal('SIGTERM')).toBe(0);
          await service.start();
        }
      } finally {
        await clients.stop();
      }
      expect(clients.failures).toEqual([]);
      expect(service.log).not.toContainEqual(expect.objectContaining({ level: 50 }));
    },
    RESTARTS * RESTART_MS,
  );
});
