import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { loadConfig } from '../../src/config/load-config.js';
import { TarantoolClient } from '../../src/tarantool/tarantool-client.js';
import { ADMIN_TOKEN } from './tokens.js';
import { startInstance } from './test-app.js';
import { TARANTOOL_PASSWORD, TARANTOOL_USER, TarantoolProcess } from './tarantool-process.js';
import { TcpProxy } from './tcp-proxy.js';

/** The fault that a call with a key of this name meets. A sound store shows these faults too seldom for a test. */
const FUNCTIONS = `
  local fiber = require('fiber')
  local OK, PRECONDITION_FAILED, READ_ONLY = 0, 3, 10
  local faults = {
    bug = function() error('what nobody thought of') end,
    -- Later than the impatient one waits, and in time to show that the connection lives.
    silent = function() fiber.sleep(0.8) end,
    ['read-only'] = function() box.error(box.error.READONLY) end,
    ['memory full'] = function() box.error(box.error.MEMORY_ISSUE, 100, 'slab allocator', 'memtx_tuple') end,
    ['disk full'] = function() box.error(box.error.WAL_IO) end,
  }
  -- Others change this one between each read and the write that follows.
  local contended = 1
  faults.contended = function(name)
    contended = contended + 1
    if name == 'kv.get' then return OK, {'contended', {n = 1}, contended} end
    return PRECONDITION_FAILED, contended
  end
  -- There is no room for another key of a write that can be repeated.
  faults.full = function() return 12 end
  local function meet(name, key)
    return faults[key](name)
  end
  for _, name in ipairs{'get', 'insert', 'update', 'upsert', 'delete', 'touch'} do
    kv[name] = function(key) return meet('kv.' .. name, key) end
  end
  function kv.changes() return 7 end
  -- The first step removes something, and the next one fails. With any other prefix the first one does.
  function kv.remove(prefix, _, after)
    if prefix == 'partly/' and after == nil then return OK, 5, 'partly/5' end
    -- As a store does that finds nothing but expired entries.
    if prefix == 'expired/' then return OK, 0, 'expired/1' end
    return meet('kv.remove', prefix == 'partly/' and 'read-only' or prefix)
  end
  -- There are as many as there may be.
  tokens = {read = function() return OK, 1, {} end, create = function() return 12 end}
  function kv.txn(compare, success) return meet('kv.txn', success[1][2]) end
  -- It says of itself that it takes no writes.
  health = {check = function() return READ_ONLY end}
  box.schema.func.create('health.check', {setuid = true, if_not_exists = true})
  box.schema.user.grant('${TARANTOOL_USER}', 'execute', 'function', 'health.check', {if_not_exists = true})
  for module, functions in pairs{kv = kv, tokens = tokens} do
    for name in pairs(functions) do
      name = module .. '.' .. name
      box.schema.func.create(name, {setuid = true, if_not_exists = true})
      box.schema.user.grant('${TARANTOOL_USER}', 'execute', 'function', name, {if_not_exists = true})
    end
  end
`;

export interface FaultyStore {
  /** The service that uses this store. */
  readonly app: NestFastifyApplication;
  readonly url: string;
  /**
   * A second service with a short timeout, for calls that the store does not answer. Resolves when it is connected.
   */
  impatientUrl(): Promise<string>;
  /** A third service, which needs tokens. */
  readonly guardedUrl: string;
  stop(): Promise<void>;
}

/**
 * The service on a real Tarantool whose functions fail: a call with the key `bug`, `silent`, `read-only` … meets that
 * fault.
 */
export async function startFaultyStore(): Promise<FaultyStore> {
  const tarantool = await TarantoolProcess.start(FUNCTIONS);
  const network = await TcpProxy.start(tarantool.path);
  const serve = (timeoutMs: number, adminToken?: string): Promise<NestFastifyApplication> =>
    startInstance(
      loadConfig({
        HOST: '127.0.0.1',
        THROTTLE_LIMIT: '0',
        ALLOWED_HOSTS: '*',
        TARANTOOL_HOST: '127.0.0.1',
        TARANTOOL_PORT: String(network.port),
        TARANTOOL_USER,
        TARANTOOL_PASSWORD,
        TARANTOOL_TIMEOUT: String(timeoutMs),
        ADMIN_TOKEN: adminToken,
      }),
    );
  const [app, impatient, guarded] = [await serve(60_000), await serve(500), await serve(60_000, ADMIN_TOKEN)];
  return {
    app,
    url: await app.getUrl(),
    guardedUrl: await guarded.getUrl(),
    async impatientUrl() {
      await impatient.get(TarantoolClient).whenConnected(10_000);
      return impatient.getUrl();
    },
    async stop() {
      await Promise.all([app.close(), impatient.close(), guarded.close()]);
      await network.stop();
      await tarantool.stop();
    },
  };
}
