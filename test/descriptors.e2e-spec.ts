import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answers } from './support/answers.js';
import { ServiceProcess } from './support/service-process.js';

/** What is said once in a while, and how often it has happened since. */
const FEW = 'few file descriptors are left: raise the limit of open files';

let service: ServiceProcess;
/** One connection, which was there before descriptors became few. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

beforeAll(async () => {
  service = await ServiceProcess.start({ WORKERS: '1' });
});
afterAll(async () => {
  agent.destroy();
  await service.remove();
});

async function call(method: string, path: string, body?: string): Promise<[number | undefined, unknown]> {
  const sent = request(`${service.url}${path}`, { method, agent });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const data of answer) text += String(data);
  return [answer.statusCode, JSON.parse(text)];
}

describe('when file descriptors run out', () => {
  // Holds health.ready, limit.open-files.
  it('says so in the log, is not ready, and serves on', async () => {
    expect(await call('GET', '/health/ready')).toEqual([200, { message: 'ready', status: 200 }]);
    const limit = readdirSync(`/proc/${service.pid}/fd`).length + 20;
    execFileSync('prlimit', ['--pid', String(service.pid), `--nofile=${limit}:${limit}`]);
    const held: Socket[] = Array.from({ length: 40 }, () => connect(service.port, '127.0.0.1'));
    for (const socket of held) socket.on('error', () => undefined);

    await expect.poll(() => call('GET', '/health/ready')).toEqual([503, answers.busy]);
    expect(await call('PUT', '/kv/state', '{"value":{"status":"ok"}}')).toEqual([200, answers.updated]);
    await expect
      .poll(() => service.log.filter(({ msg }) => msg === FEW))
      .toMatchObject([{ level: 40, count: 1 }]);

    for (const socket of held) socket.destroy();
    await expect.poll(() => call('GET', '/health/ready')).toEqual([200, { message: 'ready', status: 200 }]);
  });
});
