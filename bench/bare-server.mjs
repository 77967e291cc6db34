// The yardstick: the lowest possible cost of an HTTP answer on this Node. It stores nothing and has no routes. It
// answers every request with one fixed JSON document, of the same size as the entry that the other contestants
// return.
// node bare-server.mjs PORT WORKERS BYTES
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { valueOf } from './values.mjs';

const [port, workers, bytes] = process.argv.slice(2).map(Number);
const body = JSON.stringify({ value: valueOf(bytes) });

if (workers > 1 && cluster.isPrimary) {
  for (let i = 0; i < workers; i++) cluster.fork();
} else {
  createServer((_request, response) => {
    response.setHeader('content-type', 'application/json; charset=utf-8');
    response.end(body);
  }).listen(port, '127.0.0.1');
}
