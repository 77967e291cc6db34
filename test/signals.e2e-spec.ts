import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answersIn, message } from './support/raw.js';
import { ServiceProcess } from './support/service-process.js';
import { freePort } from './support/test-app.js';

/** No process listens there, so a service with this store starts soon. */
const WITHOUT_STORE = {
  WORKERS: '1',
  TARANTOOL_HOST: '127.0.0.1',
  TARANTOOL_PASSWORD: 'secret',
  TARANTOOL_TIMEOUT: '50',
};
const { SIGUSR1 } = constants.signals;

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

/** Whether a process has a handler for a signal, without which the signal would end it. */
function isHeeded(pid: number, signal: number): boolean {
  const [, handled] = /^SigCgt:\s*(\w+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return ((BigInt(`0x${handled}`) >> BigInt(signal - 1)) & 1n) === 1n;
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
  it.each([0, 20])('leaves no inspector open (%i ms after Node began to heed it)', async (afterMs) => {
    const port = await freePort();
    const early = await ServiceProcess.create({
      ...WITHOUT_STORE,
      NODE_OPTIONS: `--inspect-port=${port}`,
    });
    const started = early.start();
    await expect.poll(() => isHeeded(early.pid, SIGUSR1), { interval: 1 }).toBe(true);
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
  // Holds health.ready.
  it('makes /health/ready 503 on connections that are kept', async () => {
    const stopping = await ServiceProcess.start();
    const post = await unfinishedPost(stopping, 'kept');
    // The first answer tells each client to close.
    const sockets = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const socket = connect(stopping.port, '127.0.0.1');
        socket.on('error', () => undefined);
        // When a client has an answer on its connection, a process has accepted it.
        socket.write(message('GET /health/live'));
        await once(socket, 'data');
        return socket;
      }),
    );
    const ended = stopping.signal('SIGTERM');
    const ready = async (): Promise<unknown> => {
      const socket = sockets.pop();
      if (!socket) return undefined;
      socket.write(message('GET /health/ready'));
      const [data] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return answersIn(data.toString()).map(({ status, body }) => [status, body]);
    };
    await expect.poll(ready, { interval: 20 }).toEqual([[503, '{"message":"shutting down","status":503}']]);
    for (const socket of sockets) socket.destroy();
    expect(await finish(post)).toBe(200);
    expect(await ended).toBe(0);
    await stopping.remove();
  });
});
