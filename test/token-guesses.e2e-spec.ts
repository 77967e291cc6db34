import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { send } from './support/send.js';
import { ServiceProcess } from './support/service-process.js';
import { ADMIN_TOKEN, newTokenFor } from './support/tokens.js';

// GUESSES makes a longer run.
const GUESSES = Number(process.env['GUESSES'] ?? 3000);
const AT_ONCE = 32;
const GUESSES_FOR_EACH_OTHER = 50;
const GUESSER = '127.0.0.2';
/** A worker of its size has tens of MiB of garbage between two collections. Each guess held for ever would be more. */
const MAX_GROWTH_MIB = 64 + GUESSES / 1000;

let service: ServiceProcess;
beforeAll(async () => {
  service = await ServiceProcess.start({
    ADMIN_TOKEN,
    THROTTLE_LIMIT: '500',
    THROTTLE_TTL: '1000',
  });
});
afterAll(() => service.remove());

const residentMiB = (pids: number[]): number[] =>
  pids.map(
    (pid) => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
  );

let guesses = 0;
/** Of the form of a token, so that the service has to look for it. */
const guess = (): string => `tkv_${String(++guesses).padStart(43, 'x')}`;

// Holds token.failures.
it(
  `${GUESSES} wrong tokens from one address are refused, and others are answered as before`,
  async () => {
    const { token } = await newTokenFor(service.url, [{ prefix: '', rights: ['read'] }]);
    const agents = Array.from({ length: AT_ONCE + 1 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const status = async (shown: string, localAddress: string, agent?: Agent): Promise<number> => {
      const fields = { Authorization: `Bearer ${shown}` };
      return (await send(service.port, 'GET', '/kv/state', { fields, localAddress, ...(agent && { agent }) }))
        .status;
    };
    const before = residentMiB(service.workerPids);
    const refused: number[] = [];
    const others: number[] = [];
    await Promise.all(
      agents.slice(1).map(async (agent) => {
        while (guesses < GUESSES) {
          refused.push(await status(guess(), GUESSER, agent));
          if (refused.length % GUESSES_FOR_EACH_OTHER !== 0) continue;
          // With the same address too: whoever shares it with the guesser is not refused for that.
          others.push(await status(token, '127.0.0.1', agents[0]), await status(token, GUESSER));
        }
      }),
    );
    expect(new Set(others)).toEqual(new Set([200]));
    expect(new Set(refused)).toEqual(new Set([401, 429]));
    const after = residentMiB(service.workerPids);
    expect(Math.max(...after.map((mib, i) => mib - (before[i] ?? 0)))).toBeLessThan(MAX_GROWTH_MIB);
    for (const agent of agents) agent.destroy();
  },
  60_000 + GUESSES * 10,
);
