// unstorage: a driver over our API behaves as its driver tests ask (github.com/unjs/unstorage, test/drivers/utils.ts, which its
// package does not bring along).
import { createStorage, defineDriver, restoreSnapshot, snapshot } from 'unstorage';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { values } from './client.mjs';

const driver = defineDriver(() => ({
  name: 'tarantool-kv',
  hasItem: (key) => values.has(key),
  getItem: async (key) => (await values.get(key)) ?? null,
  setItem: (key, value, { ttl } = {}) => values.set(key, value, ttl),
  removeItem: (key) => values.delete(key),
  getKeys: (base) => Array.fromAsync?.(values.keys(base)) ?? collect(values.keys(base)),
  clear: (base) => values.clear(base),
}));

async function collect(keys) {
  const all = [];
  for await (const key of keys) all.push(key);
  return all;
}

describe('unstorage over the service', () => {
  const storage = createStorage({ driver: driver() });
  // A fresh store holds an entry of its own.
  beforeAll(() => storage.clear());
  afterEach(() => storage.clear());

  it('restores a snapshot and makes one', async () => {
    await restoreSnapshot(storage, { initial: 'works' });
    expect(await storage.getItem('initial')).toBe('works');
    expect(await snapshot(storage, '')).toEqual({ initial: 'works' });
  });

  it('knows what is not there', async () => {
    expect(await storage.hasItem('s1:a')).toBe(false);
    expect(await storage.getItem('s2:a')).toBe(null);
    await storage.clear();
    expect(await storage.getKeys()).toEqual([]);
  });

  it('sets, finds and lists items', async () => {
    await storage.setItem('s1:a', 'test_data');
    await storage.setItem('s2:a', 'test_data');
    await storage.setItem('s3:a?q=1', 'test_data');
    expect(await storage.hasItem('s1:a')).toBe(true);
    expect(await storage.getItem('s1:a')).toBe('test_data');
    expect(await storage.getItem('s3:a?q=2')).toBe('test_data');
    expect((await storage.getKeys()).toSorted()).toEqual(['s1:a', 's2:a', 's3:a']);
    expect(await storage.getKeys('s1')).toEqual(['s1:a']);
  });

  it('lists to a depth', async () => {
    for (const key of ['depth0_0', 'depth0:depth1:depth2_0', 'depth0:depth1:depth2_1', 'depth0:depth1_0']) {
      await storage.setItem(key, 'test_data');
    }
    expect(await storage.getKeys(undefined, { maxDepth: 0 })).toEqual(['depth0_0']);
    expect((await storage.getKeys(undefined, { maxDepth: 1 })).toSorted()).toEqual([
      'depth0:depth1_0',
      'depth0_0',
    ]);
  });

  it.each([
    ['an object', { json: 'works' }, { json: 'works' }],
    ['true', true, true],
    ['what has a toJSON', { toJSON: () => ({ serializedObj: 'works' }) }, { serializedObj: 'works' }],
  ])('keeps %s', async (_name, value, expected) => {
    await storage.setItem('/data/test.json', value);
    expect(await storage.getItem('/data/test.json')).toEqual(expected);
  });

  it('keeps bytes', async () => {
    await storage.setItemRaw('/data/raw.bin', new Uint8Array([1, 2, 3]));
    expect([...(await storage.getItemRaw('/data/raw.bin'))]).toEqual([1, 2, 3]);
  });

  it('sets and gets many', async () => {
    const items = ['t:1', 't:2', 't:3'].map((key) => ({ key, value: `test_data_${key}` }));
    await storage.setItems(items);
    expect(await storage.getItems(items.map(({ key }) => key))).toEqual(items);
  });

  it('removes', async () => {
    await storage.setItem('s1:a', 'test_data');
    await storage.removeItem('s1:a');
    expect(await storage.hasItem('s1:a')).toBe(false);
    await storage.setItem('s1:a', 'test_data');
    await storage.clear();
    expect(await storage.getKeys()).toEqual([]);
  });
});
