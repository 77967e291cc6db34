import 'reflect-metadata';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Answers } from '../src/answers/answers.js';
import { TxnRepository } from '../src/batch/txn.repository.js';
import { loadConfig } from '../src/config/load-config.js';
import { TarantoolRepository } from '../src/kv/tarantool.repository.js';
import { ListingRepository } from '../src/listing/listing.repository.js';
import { TarantoolClient } from '../src/tarantool/tarantool-client.js';
import { TARANTOOL_PASSWORD, TARANTOOL_USER, TarantoolProcess } from './support/tarantool-process.js';

/** A store that answers with an outcome of which the service has never heard. */
const FUNCTIONS = `
  function kv.get() return 99 end
  function kv.list() return 99, {} end
  function kv.txn(compare, success)
    if #success == 0 then return 99 end
    return 0, 5, 1, {{99}}
  end
  for _, name in ipairs{'kv.get', 'kv.list', 'kv.txn'} do
    box.schema.func.create(name, {setuid = true, if_not_exists = true})
    box.schema.user.grant('${TARANTOOL_USER}', 'execute', 'function', name, {if_not_exists = true})
  end
`;

const config = loadConfig({});
const { turns } = new Answers(config);
const room = {
  take: () => Promise.resolve(),
  takeFor: () => Promise.resolve(),
  turn: () => turns.take('a'),
};

let tarantool: TarantoolProcess;
let client: TarantoolClient;
beforeAll(async () => {
  tarantool = await TarantoolProcess.start(FUNCTIONS);
  client = new TarantoolClient({
    path: tarantool.path,
    user: TARANTOOL_USER,
    password: TARANTOOL_PASSWORD,
    timeoutMs: 5000,
  });
  client.connect();
  await client.whenConnected(5000);
});
afterAll(async () => {
  await client.close();
  await tarantool.stop();
});

const transaction = { compare: [], success: [], failure: undefined };

it.each<[string, () => Promise<unknown>]>([
  ['a read', () => new TarantoolRepository(client, config.limits).get('k', room)],
  ['a page', () => new ListingRepository(client).list({ reverse: false, keysOnly: false }, 10, 1000, room)],
  ['a transaction', () => new TxnRepository(client, config.limits).run(transaction, room)],
  [
    'a read in a transaction',
    () =>
      new TxnRepository(client, config.limits).run(
        { ...transaction, success: [{ op: 'get', key: 'k' }] },
        room,
      ),
  ],
])('an outcome that is not known is an error, and no missing key: %s', async (_name, ask) => {
  await expect(ask()).rejects.toThrow('the store answered with outcome 99, which is not known here');
});
