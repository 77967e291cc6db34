import { expect, it } from 'vitest';
import { hostPort } from './host-port.js';

it.each([
  ['127.0.0.1', '127.0.0.1:5000'],
  ['kv.example', 'kv.example:5000'],
  ['::1', '[::1]:5000'],
  ['::', '[::]:5000'],
  ['fe80::1%eth0', '[fe80::1%25eth0]:5000'],
])('%s with port 5000 is %s in a URL', (host, text) => {
  expect(hostPort(host, 5000)).toBe(text);
});
