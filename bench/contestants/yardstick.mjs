import { fileURLToPath } from 'node:url';
import { freePort, start } from '../processes.mjs';
import { answers } from './answers.mjs';
import { KV_REQUESTS } from './kv.mjs';
import { WORKERS } from './workers.mjs';

const SERVER = fileURLToPath(new URL('../bare-server.mjs', import.meta.url));

/** It gets the same requests as our service, and answers each of them with `bytes` of value. */
export function yardstick(bytes) {
  return {
    name: 'yardstick',
    isYardstick: true,
    async start() {
      const port = await freePort();
      const server = await start(process.execPath, [SERVER, port, WORKERS, bytes], {
        isReady: answers(`http://127.0.0.1:${port}/`),
      });
      return { port, ...KV_REQUESTS, stop: server.stop };
    },
  };
}
