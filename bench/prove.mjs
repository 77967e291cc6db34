import { isDeepStrictEqual } from 'node:util';
import { entryKey, spell } from './keys.mjs';
import { valueOf } from './values.mjs';

/**
 * Writes the entry that traffic with `pick: 'one'` uses, and checks that writes are kept and that reads return them.
 * @throws where a contestant does not do what is to be measured
 */
export async function prove(instance, bytes) {
  instance.proved ??= new Set();
  if (instance.proved.has(bytes)) return;
  const key = spell(entryKey(bytes), instance);
  const writes = { insert: { id: 0 }, put: valueOf(bytes) };
  for (const [operation, value] of Object.entries(writes)) {
    const written = await send(instance, instance[operation](key, value));
    if (written.status !== 200) throw new Error(`${operation} is answered by ${written.status}`);
    const read = await send(instance, instance.get(key));
    if (read.status !== 200 || !isDeepStrictEqual(instance.valueIn(read.text), value)) {
      throw new Error(`what ${operation} wrote is not what is read: ${read.text.slice(0, 200)}`);
    }
  }
  instance.proved.add(bytes);
}

/** @throws unless every answer to `request` has the status that is to be measured */
export async function proveStatus(instance, request, wanted) {
  const { status } = await send(instance, request);
  if (status !== wanted) throw new Error(`the answer is ${status} and not ${wanted}`);
}

async function send({ port }, { method, path, body }) {
  const content = body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } };
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...content });
  return { status: answer.status, text: await answer.text() };
}
