import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServiceProcess } from './support/service-process.js';

let service: ServiceProcess;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });
beforeAll(async () => {
  service = await ServiceProcess.start({
    TARANTOOL_MEMORY: '512',
    // What is right is asked here, not what is quick: 64 values of 1 MB at once can take longer than a call may by default.
    TARANTOOL_TIMEOUT: '20000',
    MAX_ANSWERS_MIB: '256',
  });
});
afterAll(async () => {
  agent.destroy();
  await service.remove();
});

interface Answer {
  status: number;
  body: string;
}

function send(method: string, path: string, body?: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${service.url}${path}`, { agent, method }, (incoming) => {
      incoming.toArray().then((chunks) => {
        resolve({ status: incoming.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      }, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('through several workers', () => {
  // Holds entry.one-insert-wins.
  it('exactly one of 64 clients that insert the same 50 keys at once inserts each', async () => {
    const keys = Array.from({ length: 50 }, (_, i) => `contended-${i}`);
    const clients = Array.from({ length: 64 }, async (_, client) => {
      const statuses: number[] = [];
      for (const key of keys) {
        statuses.push((await send('POST', '/kv', JSON.stringify({ key, value: { client } }))).status);
      }
      return statuses;
    });
    const byClient = await Promise.all(clients);
    for (const [i] of keys.entries()) {
      const statuses = byClient.map((each) => each[i]);
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.filter((status) => status === 409)).toHaveLength(63);
    }
  });

  it('values of 1 MB are right at 64 requests at once', async () => {
    const values = Array.from({ length: 8 }, (_, i) =>
      JSON.stringify({ i, text: randomBytes(385_000).toString('base64url') }),
    );
    const put = async (key: string, value: string) => {
      expect(await send('PUT', `/kv/${key}`, `{"value":${value}}`)).toEqual({
        status: 200,
        body: '{"message":"updated","status":200}',
      });
    };
    for (const [i, value] of values.entries())
      await send('POST', '/kv', `{"key":"large-${i}","value":${value}}`);
    const known = new Set(values.map((value) => `{"value":${value}}`));
    const clients = Array.from({ length: 64 }, async (_, client) => {
      for (let round = 0; round < 2; round++) {
        const key = `large-${(client + round) % 8}`;
        if ((client + round) % 4 === 0) await put(key, values[(client + round) % 8] ?? '');
        else {
          const { status, body } = await send('GET', `/kv/${key}`);
          expect([status, known.has(body)]).toEqual([200, true]);
        }
      }
    });
    await Promise.all(clients);
  });
});
