import { cpSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { catchUp, FeedCopy } from './support/feed-copy.js';
import { ServiceProcess } from './support/service-process.js';

/** Made by the version that kept no log of changes: entries in a snapshot of the store and in its log behind that. */
const SCHEMA_2 = fileURLToPath(new URL('../tarantool/test/fixtures/schema-2', import.meta.url));
/** The old version had reserved the revisions up to this one. */
const LOG_BEGINS = '00000000000000200001';

let service: ServiceProcess;
afterEach(() => service.remove());

const json = async (path: string, init?: RequestInit): Promise<unknown> =>
  (await fetch(`${service.url}${path}`, init)).json();

// Holds changes.of-old-stores.
it('carries a store forward that kept no log, and tells of what changes from then on', async () => {
  service = await ServiceProcess.create();
  cpSync(SCHEMA_2, String(service.environment['DATA_DIR']), { recursive: true });
  await service.start();

  const { items } = (await json('/kv')) as { items: unknown[] };
  expect(items).toEqual([
    { key: 'expires late', value: { n: 2 }, version: '3', expires_at: '2036-11-22T17:17:56.906Z' },
    { key: 'in the snapshot', value: { n: 10 }, version: '100002' },
    { key: 'state', value: { status: 'ok' }, version: '1' },
    { key: '😀', value: { z: expect.any(Number) as number, a: [1.5, null] }, version: '5' },
  ]);
  const text = await (await fetch(`${service.url}/changes?offset=-1`)).text();
  expect(text).toContain('"value":{"z":9007199254740993,"a":[1.5,null]}');
  const messages = JSON.parse(text) as { key?: string; version?: string }[];
  expect(messages.map(({ key, version }) => [key, version])).toEqual([
    [undefined, undefined],
    ['expires late', '3'],
    ['in the snapshot', '100002'],
    ['state', '1'],
    ['😀', '5'],
    [undefined, undefined],
  ]);

  await json('/kv/in%20the%20snapshot', { method: 'DELETE' });
  // What the old version wrote with a time to live expires as a change.
  const changed = async (): Promise<string[]> => {
    const { changes } = await catchUp(service.url, LOG_BEGINS, new FeedCopy());
    return changes.map(({ key, isExpiry }) => `${key}: ${isExpiry ? 'expired' : 'deleted'}`).toSorted();
  };
  await expect.poll(changed).toEqual(['expires soon: expired', 'in the snapshot: deleted']);
  const before = '00000000000000200000';
  expect((await fetch(`${service.url}/changes?offset=${before}`)).status).toBe(410);
});
