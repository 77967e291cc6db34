// A client that walks over all keys while other keys are created and deleted. scale.mjs starts it. It prints its
// result as one line of JSON.
// node bench/walker.mjs PORT KEYS
import { Agent, request } from 'node:http';
import { keyOf } from './keys.mjs';
import { median } from './statistics.mjs';

const [port, keys] = process.argv.slice(2).map(Number);
/** Keys that are created and deleted while a page is read. */
const CHURN_A_PAGE = 10;
/** Relatively prime to every number of keys, so that consecutive keys are spread over the store. */
const STRIDE = 799_819;
const PASSING = '-passing';
const PAGES_COMPARED = 100;

const agent = new Agent({ keepAlive: true });
const there = new Set();
const pages = [];
let twice = 0;
let churned = 0;

for (let path = '/kv?limit=1000&keys_only=true'; path;) {
  const comeAndGo = Array.from({ length: CHURN_A_PAGE }, () => churn(churned++));
  const started = performance.now();
  const { items, next_cursor: cursor } = await ask('GET', path);
  pages.push(performance.now() - started);
  for (const { key } of items) {
    if (there.has(key)) twice++;
    there.add(key);
  }
  path = cursor && `/kv?limit=1000&cursor=${cursor}`;
  await Promise.all(comeAndGo);
}
agent.destroy();

const stayed = [...there].filter((key) => !key.endsWith(PASSING)).length;
const first = median(pages.slice(0, PAGES_COMPARED));
const last = median(pages.slice(-PAGES_COMPARED));
process.stdout.write(`${JSON.stringify({ stayed, twice, churned, pages: pages.length, first, last })}\n`);

async function churn(number) {
  const key = keyOf((number * STRIDE) % keys, {}) + PASSING;
  await ask('POST', '/kv', { key, value: {} });
  await ask('DELETE', `/kv/${key}`);
}

function ask(method, path, body) {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, method, agent }, (answer) => {
      answer.toArray().then((chunks) => {
        if (answer.statusCode !== 200) reject(new Error(`${method} ${path}: ${answer.statusCode}`));
        else resolve(JSON.parse(Buffer.concat(chunks).toString()));
      }, reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body && JSON.stringify(body));
  });
}
