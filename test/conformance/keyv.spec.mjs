// @keyv/test-suite: what Keyv, the most used interface to key-value stores in JavaScript, asks of a store behind it.
import * as test from 'vitest';
import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite';
import Keyv from 'keyv';
import { EventEmitter } from 'node:events';
import { values } from './client.mjs';

/** Keyv's times to live are in ms, ours in whole seconds: rounded up, for Keyv looks at the end that it keeps in the value. */
class KvAdapter extends EventEmitter {
  /** Keyv only iterates over stores of a kind that it knows. */
  opts = { dialect: 'redis' };
  namespace;

  get = (key) => values.get(key);
  has = (key) => values.has(key);
  set = (key, value, ttl) => values.set(key, value, ttl ? Math.ceil(ttl / 1000) : undefined);
  delete = (key) => values.delete(key);
  clear = () => values.clear(this.namespace === undefined ? '' : `${this.namespace}:`);

  async *iterator(namespace) {
    for await (const key of values.keys(namespace === undefined ? '' : `${namespace}:`)) {
      yield [key, await values.get(key)];
    }
  }
}

keyvTestSuite(test, Keyv, () => new KvAdapter());
keyvIteratorTests(test, Keyv, () => new KvAdapter());
