import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { freePort, isInstalled, newFolder, start } from '../processes.mjs';
import { answers } from './answers.mjs';
import { WORKERS } from './workers.mjs';

/** Webdis as the HTTP server in front of Redis, which syncs its log before it answers a write. */
export const webdis = {
  name: 'webdis, redis',
  needsNoWarmUp: true,
  missing:
    isInstalled('webdis') && isInstalled('redis-server')
      ? undefined
      : 'webdis and redis-server are not both installed (Debian: webdis redis-server)',
  async start() {
    const [redisPort, port] = [await freePort(), await freePort()];
    const options = {
      port: redisPort,
      bind: '127.0.0.1',
      appendonly: 'yes',
      appendfsync: 'always',
      save: '',
    };
    const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
    const redis = await start('redis-server', args, { isReady: () => accepts(redisPort) });
    const folder = newFolder();
    const config = join(folder, 'webdis.json');
    const settings = {
      redis_host: '127.0.0.1',
      redis_port: redisPort,
      http_host: '127.0.0.1',
      http_port: port,
      threads: WORKERS,
      pool_size: 20,
      daemonize: false,
      verbosity: 0,
      logfile: join(folder, 'webdis.log'),
    };
    writeFileSync(config, JSON.stringify(settings));
    const server = await start('webdis', [config], {
      folder,
      isReady: answers(`http://127.0.0.1:${port}/PING`),
    });
    const put = (key, value) => ({ method: 'PUT', path: `/SET/${key}`, body: JSON.stringify(value) });
    return {
      port,
      stop: async () => {
        await server.stop();
        await redis.stop();
      },
      get: (key) => ({ method: 'GET', path: `/GET/${key}` }),
      put,
      insert: put,
      valueIn: (answer) => JSON.parse(JSON.parse(answer).GET),
    };
  },
};

async function accepts(port) {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  return true;
}
