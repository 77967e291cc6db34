import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { mkdtemp, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load-config.js';
import type { Config } from '../../src/config/config.js';
import { createApp } from '../../src/create-app.js';
import { ChangeFeed } from '../../src/feed/change-feed.js';
import { EmbeddedTarantool } from '../../src/supervisor/embedded-tarantool.js';
import { TarantoolClient } from '../../src/tarantool/tarantool-client.js';

export const silent = pino({ level: 'silent' });

export interface TestApp {
  app: NestFastifyApplication;
  tarantool: EmbeddedTarantool;
  config: Config;
  url: string;
  stop(): Promise<void>;
}

/** The production application on a Tarantool of its own, listening on a free port. The limiter is off by default. */
export async function startTestApp(environment: NodeJS.ProcessEnv = {}): Promise<TestApp> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kv-test-'));
  const config = loadConfig({
    PATH: process.env['PATH'],
    HOST: '127.0.0.1',
    THROTTLE_LIMIT: '0',
    ALLOWED_HOSTS: '*',
    TARANTOOL_PORT: String(await freePort()),
    TARANTOOL_PASSWORD: 'only-for-this-test',
    TARANTOOL_MEMORY: '64',
    DATA_DIR: dataDir,
    ...environment,
  });
  const tarantool = new EmbeddedTarantool(config.tarantool, config.limits, silent);
  await tarantool.start();
  const app = await startInstance(config);
  return {
    app,
    tarantool,
    config,
    url: await app.getUrl(),
    async stop() {
      // As at a stop of the service, or those who follow the changes would be waited for.
      app.get(ChangeFeed).stop();
      await app.close();
      await tarantool.stop();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** One more instance of the service on the same store. */
export async function startInstance(config: Config): Promise<NestFastifyApplication> {
  const app = await createApp(config, silent);
  await app.listen(0, '127.0.0.1');
  await app.get(TarantoolClient).whenConnected(10_000);
  return app;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
