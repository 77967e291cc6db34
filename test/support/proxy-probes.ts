import { Agent } from 'node:http';
import type { Server } from 'node:http';
import { send } from './send.js';
import type { TestApp } from './test-app.js';

const pathOf = (key: string): string => `/kv/${encodeURIComponent(key)}`;
/** The service's own port. */
export const directPort = ({ url }: TestApp): number => Number(new URL(url).port);

export const upsert = (port: number, key: string, value: object) =>
  send(port, 'PUT', `${pathOf(key)}?upsert=true`, { body: { value } });

/** The values of two entries after the first was written through the proxy. */
export async function written(
  port: number,
  service: TestApp,
  key: string,
  other: string,
): Promise<unknown[]> {
  for (const each of [key, other]) await upsert(directPort(service), each, { was: each });
  await upsert(port, key, { is: key });
  return Promise.all(
    [key, other].map(async (each) => (await send(directPort(service), 'GET', pathOf(each))).body),
  );
}

export async function statusAndType(
  port: number,
  method: string,
  path: string,
  body?: object,
): Promise<unknown[]> {
  const { status, fields } = await send(port, method, path, { body });
  return [status, fields['content-type']?.split(';')[0]];
}

/** A compare-and-set with the tag that the proxy returned. */
export async function compareAndSet(port: number, service: TestApp): Promise<unknown[]> {
  await upsert(directPort(service), 'cas', { text: 'x'.repeat(1000) });
  const { fields } = await send(port, 'GET', '/kv/cas', { fields: { 'Accept-Encoding': 'gzip' } });
  const tag = String(fields['etag']);
  const put = await send(port, 'PUT', '/kv/cas', { body: { value: {} }, fields: { 'If-Match': tag } });
  return [tag.replace(String(fields['kv-version']), 'n'), put.status];
}

export async function connectionsFor20Requests(port: number, service: TestApp): Promise<number> {
  const server = service.app.getHttpServer() as Server;
  let count = 0;
  const onConnection = (): void => void count++;
  server.on('connection', onConnection);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let i = 0; i < 20; i++) await send(port, 'GET', '/kv/state', { agent });
  agent.destroy();
  server.off('connection', onConnection);
  return count;
}

/** The answers before and after an entry is created. */
export async function readWhileMade(port: number, service: TestApp): Promise<number[]> {
  await send(directPort(service), 'DELETE', '/kv/late');
  const before = await send(port, 'GET', '/kv/late');
  await send(port, 'POST', '/kv', { body: { key: 'late', value: {} } });
  return [before.status, (await send(port, 'GET', '/kv/late')).status];
}
