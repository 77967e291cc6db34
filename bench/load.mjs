import { bytesOf, Connection } from './connection.mjs';
import { keyOf } from './keys.mjs';
import { valueOf } from './values.mjs';

const CONNECTIONS = 128;
const PIPELINED = 8;

/**
 * Fills an instance through its own API with up to `entries` entries of `bytes`. It is fast: it uses many
 * connections, each with several requests in flight.
 * @throws unless every request is answered with 200
 */
export async function load(instance, entries, bytes) {
  let next = instance.loaded ?? 0;
  if (next >= entries) return;
  const value = valueOf(bytes);
  await Promise.all(Array.from({ length: CONNECTIONS }, fill));
  instance.loaded = entries;

  async function fill() {
    let underWay = 0;
    let connection;
    const more = (count) => {
      const batch = [];
      for (; batch.length < count && next < entries; next++) {
        batch.push(bytesOf(instance.insert(keyOf(next, instance), value)));
      }
      underWay += batch.length;
      if (batch.length > 0) connection.send(Buffer.concat(batch));
    };
    let finish;
    const finished = new Promise((resolve) => (finish = resolve));
    /** @type {string | undefined} */
    let failure;
    connection = await Connection.open(instance.port, (status) => {
      if (status !== 200) failure = `an answer was ${status}`;
      underWay--;
      if (underWay <= PIPELINED / 2) more(PIPELINED - underWay);
      if (underWay === 0) finish();
    });
    const cut = connection.ended().then(() => (failure ??= 'the connection was closed'));
    more(PIPELINED);
    if (underWay > 0) await Promise.race([finished, cut]);
    if (failure) throw new Error(`loading failed: ${failure}`);
    connection.close();
  }
}
