import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { entryKey } from './keys.mjs';
import { launch, newFolder } from './processes.mjs';
import { valueOf } from './values.mjs';

const TRAFFIC = readFileSync(new URL('./traffic.lua', import.meta.url), 'utf8');
const THREADS = 2;
const MARK = 'KEY';

let runs = 0;
let folder;

/**
 * Sends `traffic` to an instance for some seconds, as fast as it is answered.
 * @returns answers per second, latencies in µs (of a closed loop), and how many answers were a 4xx or 5xx
 */
export async function wrk(instance, traffic, { connections, seconds }) {
  folder ??= newFolder();
  const script = join(folder, 'script.lua');
  writeFileSync(script, `local P = ${lua(parametersOf(instance, traffic))}\n${TRAFFIC}`);
  const options = {
    threads: Math.min(THREADS, connections),
    connections,
    duration: `${Math.ceil(seconds) + 60}s`,
    timeout: '10s',
    script,
  };
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = launch('wrk', [...args, `http://127.0.0.1:${instance.port}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (output += data));
  // wrk accepts whole seconds only, but ends properly when interrupted.
  const timer = setTimeout(() => child.kill('SIGINT'), seconds * 1000);
  await once(child, 'close');
  clearTimeout(timer);
  const line = /^\{"requests".*\}$/m.exec(output)?.[0];
  if (!line) throw new Error(`wrk failed: ${output.trim() || 'it was stopped'}`);
  const { requests, us, ...rest } = JSON.parse(line);
  return { requests, rate: requests / (us / 1e6), ...rest };
}

function parametersOf(instance, { pick, reads, write = 'put', entries = 0, bytes }) {
  const template = ({ method, path, body }) => ({
    method,
    path: path.split(MARK),
    body: body?.split(MARK),
  });
  return {
    run: ++runs,
    pick,
    reads,
    entries,
    key: entryKey(bytes),
    keys_are_base64: Boolean(instance.keysAreBase64),
    get: reads > 0 ? template(instance.get(MARK)) : undefined,
    write: reads < 1 ? template(instance[write](MARK, valueOf(bytes))) : undefined,
  };
}

/** A value in the syntax of Lua. */
function lua(value) {
  if (typeof value !== 'object') return typeof value === 'string' ? quote(value) : String(value);
  if (Array.isArray(value)) return `{${value.map(lua).join(', ')}}`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${name} = ${lua(member)}`).join(', ')}}`;
}

function quote(text) {
  let level = '';
  while (text.includes(`]${level}]`)) level += '=';
  return `[${level}[${text}]${level}]`;
}
