// What a large store does to others: the latency of GETs while all of a million keys are walked under concurrent inserts and
// deletes, and while a million entries expire within one second. `--keys N` for another size.
//   node bench/scale.mjs [--keys 1000000]
import { setUp } from '../scripts/setup.mjs';
import { KV_REQUESTS, kv } from './contestants/kv.mjs';
import { load } from './load.mjs';
import { stopAll } from './processes.mjs';
import { wrkAtRate } from './wrk.mjs';

const KEYS = Number(process.argv[process.argv.indexOf('--keys') + 1] || 1_000_000);
const RATE = 2000;
const CHURN = 10_000;
const TRAFFIC = { pick: 'one', reads: 1, bytes: 100 };

const ask = async (instance, method, path, body) => {
  const answer = await fetch(`http://127.0.0.1:${instance.port}${path}`, {
    method,
    body: body && Buffer.from(JSON.stringify(body)),
  });
  return { status: answer.status, body: await answer.json() };
};
const latency = (instance, seconds) => wrkAtRate(instance, TRAFFIC, { connections: 16, seconds, rate: RATE });
const show = (what, { p50, p99, p999 }) =>
  console.log(`${what}: p50 ${p50} ms, p99 ${p99} ms, p99.9 ${p999} ms`);

setUp();
try {
  const instance = await kv('kv', { environment: { TARANTOOL_MEMORY: 4096 } }).start();
  await load(instance, KEYS, 100);
  await latency(instance, 5);
  const alone = await latency(instance, 10);
  show('GET alone', alone);

  await walk(instance, alone);
  await expiry(instance, alone);
} finally {
  await stopAll();
}

async function walk(instance, alone) {
  const there = new Set();
  let twice = 0;
  const pages = [];
  let isWalking = true;
  const walked = (async () => {
    let path = '/kv?limit=1000&keys_only=true';
    while (path) {
      const started = performance.now();
      const { body } = await ask(instance, 'GET', path);
      pages.push(performance.now() - started);
      for (const { key } of body.items) {
        if (there.has(key)) twice++;
        there.add(key);
      }
      path = body.next_cursor && `/kv?limit=1000&cursor=${body.next_cursor}`;
    }
    isWalking = false;
  })();
  const churned = (async () => {
    for (let i = 0; i < CHURN && isWalking; i++) {
      await ask(instance, 'POST', '/kv', { key: `churn-${i}`, value: {} });
      await ask(instance, 'DELETE', `/kv/churn-${i}`);
    }
  })();
  const meanwhile = await latency(instance, 10);
  await Promise.all([walked, churned]);
  const stayed = [...there].filter((key) => !key.startsWith('churn-')).length;
  const mean = (list) => (list.reduce((a, b) => a + b, 0) / list.length).toFixed(2);
  console.log(`walk: ${stayed} keys that stayed, ${twice} seen twice, ${pages.length} pages`);
  console.log(
    `pages: first hundred ${mean(pages.slice(0, 100))} ms, last hundred ${mean(pages.slice(-100))} ms`,
  );
  show('GET during the walk', meanwhile);
  console.log(`p99 ratio ${(meanwhile.p99 / alone.p99).toFixed(2)}`);
}

async function expiry(instance, alone) {
  const before = instance.memoryOfStore?.();
  const until = Date.now() + Math.max(20_000, KEYS / 20);
  // The same second for all, however long it takes to load them.
  const expiring = {
    ...instance,
    loaded: 0,
    insert: (key, value) => {
      const ttl = Math.max(1, Math.round((until - Date.now()) / 1000));
      const request = KV_REQUESTS.insert(`expiring-${key}`, value);
      return { ...request, body: JSON.stringify({ ...JSON.parse(request.body), ttl }) };
    },
  };
  await load(expiring, KEYS, 100);
  console.log(`loaded what expires ${((until - Date.now()) / 1000).toFixed(1)} s before it does`);
  const full = instance.memoryOfStore?.();
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, until - Date.now() - 1500)));
  show('GET while they expire', await latency(instance, 10));
  const after = await ask(instance, 'GET', '/kv?prefix=expiring-&limit=10');
  console.log(
    `left of them in a listing: ${after.body.items.length}; memory of the store: ${before} → ${full} → ${instance.memoryOfStore?.()}`,
  );
  const ratio = (await latency(instance, 5)).p99 / alone.p99;
  console.log(`p99 ratio afterwards ${ratio.toFixed(2)}`);
}
