import { once } from 'node:events';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive, ServiceProcess } from './support/service-process.js';
import { freePort } from './support/test-app.js';

let service: ServiceProcess;
beforeAll(async () => {
  service = await ServiceProcess.start();
});
afterAll(() => service?.remove());

/** A request that a worker has begun to serve, and whose body is not complete. */
async function unfinishedPost({ url }: ServiceProcess, key: string): Promise<ClientRequest> {
  const post = request(`${url}/kv`, { method: 'POST', headers: { Expect: '100-continue' } });
  post.on('error', () => {});
  post.flushHeaders();
  await once(post, 'continue');
  post.write(`{"key":"${key}",`);
  return post;
}

async function finish(post: ClientRequest): Promise<number | undefined> {
  const answered = once(post, 'response') as Promise<[IncomingMessage]>;
  post.end('"value":{}}');
  const [answer] = await answered;
  answer.resume();
  return answer.statusCode;
}

describe.each(['SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGPIPE'] as const)('%s', (signal) => {
  it('means nothing to the first process, and to a worker', async () => {
    const pids = service.pids;
    const post = await unfinishedPost(service, signal);
    for (const pid of [service.pid, ...service.workerPids]) process.kill(pid, signal);
    expect(await finish(post)).toBe(200);
    expect(await service.probe('ready')).toBe(200);
    expect(service.pids).toEqual(pids);
    expect(service.stderr).toBe('');
  });
});

describe('SIGUSR1 before the first line of the program', () => {
  // Until then, 40 ms or so with Node 20, it is Node that handles it.
  it.each([20, 35, 50])('leaves no inspector open (%i ms after the start)', async (afterMs) => {
    const port = await freePort();
    const early = await ServiceProcess.create({ WORKERS: '1', NODE_OPTIONS: `--inspect-port=${port}` });
    const started = early.start();
    await delay(afterMs);
    process.kill(early.pid, 'SIGUSR1');
    try {
      await started;
      const knock = connect(port, '127.0.0.1');
      await expect(once(knock, 'connect')).rejects.toThrow('ECONNREFUSED');
    } finally {
      await early.remove();
    }
  });
});

describe('an orderly stop', () => {
  it.each(['SIGHUP', 'SIGQUIT'] as const)('by %s lets requests finish', async (signal) => {
    const stopping = await ServiceProcess.start({ WORKERS: signal === 'SIGHUP' ? '1' : '2' });
    const pids = stopping.pids;
    const post = await unfinishedPost(stopping, signal);
    const ended = stopping.signal(signal);
    await expect.poll(() => stopping.probe('live')).toBe(undefined);
    expect(await finish(post)).toBe(200);
    expect(await ended).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(stopping.log.at(-1)).toMatchObject({ msg: 'stopped' });
    await stopping.remove();
  });

  it('is one when a signal to the process group is handed on by npm as well', async () => {
    const stopping = await ServiceProcess.start();
    const post = await unfinishedPost(stopping, 'twice');
    const ended = stopping.signal('SIGTERM');
    process.kill(stopping.pid, 'SIGTERM');
    await expect.poll(() => stopping.probe('live')).toBe(undefined);
    expect(await finish(post)).toBe(200);
    expect(await ended).toBe(0);
    await stopping.remove();
  });
});
