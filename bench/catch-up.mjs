// How long a client takes to catch up with many changes, and to copy as many entries by a snapshot.
//   node bench/catch-up.mjs [--changes 100000] [--rounds 5]
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { setUp } from '../scripts/setup.mjs';
import { kv } from './contestants/kv.mjs';
import { stopAll } from './processes.mjs';

const { values } = parseArgs({
  options: { changes: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '5' } },
});
const CHANGES = Number(values.changes);
const ROUNDS = Number(values.rounds);
const BATCH = 1000;
/** The size of a small JSON value. */
const TEXT = 'x'.repeat(50);

const agent = new Agent({ keepAlive: true, maxSockets: 1 });

setUp();
try {
  const { port } = await kv('kv', { environment: { CHANGES_MEMORY: 256 } }).start();
  const { next: start } = await page(port, 'now');
  for (let i = 0; i < CHANGES; i += BATCH) await write(port, i, Math.min(BATCH, CHANGES - i));
  for (const [name, offset] of Object.entries({ changes: start, 'entries of a snapshot': '-1' })) {
    const rounds = [];
    for (let i = 0; i < ROUNDS; i++) rounds.push(await read(port, offset));
    rounds.sort((a, b) => a.ms - b.ms);
    const { count, pages, bytes } = rounds[0];
    const [least, median, most] = [0, Math.floor(ROUNDS / 2), ROUNDS - 1].map((n) =>
      Math.round(rounds[n].ms),
    );
    console.log(
      `${count} ${name} in ${pages} pages, ${(bytes / 2 ** 20).toFixed(1)} MiB: ` +
        `${median} ms (median of ${ROUNDS}, ${least} to ${most})`,
    );
    if (count < CHANGES) process.exitCode = 1;
  }
} finally {
  agent.destroy();
  await stopAll();
}
process.exit();

/** Reads from an offset to the end of the log, as a client does: it parses each page, and then asks for the next. */
async function read(port, offset) {
  const since = performance.now();
  const read = { count: 0, pages: 0, bytes: 0, ms: 0 };
  for (let at = offset, isUpToDate = false; !isUpToDate;) {
    const { messages, bytes, next, upToDate } = await page(port, at);
    read.count += messages.filter(({ key }) => key !== undefined).length;
    read.pages++;
    read.bytes += bytes;
    at = next;
    isUpToDate = upToDate;
  }
  read.ms = performance.now() - since;
  return read;
}

async function page(port, offset) {
  const { headers, body } = await send(port, { path: `/changes?offset=${offset}` });
  return {
    messages: JSON.parse(body),
    bytes: body.length,
    next: headers['stream-next-offset'],
    upToDate: headers['stream-up-to-date'] === 'true',
  };
}

async function write(port, from, count) {
  const operations = Array.from({ length: count }, (_, i) => ({
    op: 'insert',
    key: `catch-up/${String(from + i).padStart(8, '0')}`,
    value: { n: from + i, text: TEXT },
  }));
  await send(port, { path: '/batch', method: 'POST' }, JSON.stringify({ operations }));
}

function send(port, options, body) {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, agent, ...options }, async (answer) => {
      const told = await text(answer);
      if (answer.statusCode === 200) resolve({ headers: answer.headers, body: told });
      else reject(new Error(`answered ${answer.statusCode}: ${told}`));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
