import { freePort, isInstalled, start } from '../processes.mjs';
import { answers } from './answers.mjs';

const json = (value) => JSON.stringify(value);
const base64 = (text) => Buffer.from(text).toString('base64');

/**
 * The JSON gateway of etcd, in which keys and values are base64. By default etcd syncs each write before the answer,
 * in groups.
 */
export const etcd = {
  name: 'etcd',
  needsNoWarmUp: true,
  missing: isInstalled('etcd') ? undefined : 'etcd is not installed (Debian: etcd-server)',
  async start() {
    const [port, peerPort] = [await freePort(), await freePort()];
    const [url, peerUrl] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
    const options = {
      'data-dir': 'data',
      'listen-client-urls': url,
      'advertise-client-urls': url,
      'listen-peer-urls': peerUrl,
      'initial-advertise-peer-urls': peerUrl,
      'initial-cluster': `default=${peerUrl}`,
      'quota-backend-bytes': 8_000_000_000,
      'log-level': 'error',
    };
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const server = await start('etcd', args, { isReady: answers(`${url}/health`) });
    const put = (key, value) => ({
      method: 'POST',
      path: '/v3/kv/put',
      body: json({ key, value: base64(json(value)) }),
    });
    return {
      port,
      stop: server.stop,
      keysAreBase64: true,
      get: (key) => ({ method: 'POST', path: '/v3/kv/range', body: json({ key }) }),
      put,
      insert: put,
      valueIn: (answer) => JSON.parse(Buffer.from(JSON.parse(answer).kvs[0].value, 'base64').toString()),
    };
  },
};
