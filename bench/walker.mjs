// A client that walks over all keys while others insert and delete; scale.mjs starts it. Prints what it saw as one line of JSON.
//   node bench/walker.mjs PORT
import { Agent, request } from 'node:http';

const port = Number(process.argv[2]);
const CHURN = 10_000;
const CHURNERS = 8;
const PAGES_AVERAGED = 100;

const agent = new Agent({ keepAlive: true });
const there = new Set();
const pages = [];
let twice = 0;
let churned = 0;
let isWalking = true;

await Promise.all([walk(), ...Array.from({ length: CHURNERS }, churn)]);
agent.destroy();

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const stayed = [...there].filter((key) => !key.startsWith('churn-')).length;
const first = mean(pages.slice(0, PAGES_AVERAGED));
const last = mean(pages.slice(-PAGES_AVERAGED));
process.stdout.write(`${JSON.stringify({ stayed, twice, churned, pages: pages.length, first, last })}\n`);

async function walk() {
  let path = '/kv?limit=1000&keys_only=true';
  while (path) {
    const started = performance.now();
    const { items, next_cursor: cursor } = await ask('GET', path);
    pages.push(performance.now() - started);
    for (const { key } of items) {
      if (there.has(key)) twice++;
      there.add(key);
    }
    path = cursor && `/kv?limit=1000&cursor=${cursor}`;
  }
  isWalking = false;
}

/** Each of them its share of the keys, and not after the walk. */
async function churn(_, number) {
  for (let i = number; i < CHURN && isWalking; i += CHURNERS) {
    // All over the place, as the keys that stay are.
    const key = `churn-${(i * 7919) % CHURN}`;
    await ask('POST', '/kv', { key, value: {} });
    await ask('DELETE', `/kv/${key}`);
    churned++;
  }
}

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, agent }, (answer) => {
      answer.toArray().then((chunks) => {
        if (answer.statusCode !== 200) reject(new Error(`${method} ${path}: ${answer.statusCode}`));
        else resolve(JSON.parse(Buffer.concat(chunks)));
      }, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body && JSON.stringify(body));
  });
}
