import { expect, it } from 'vitest';
import { isLoopback } from './is-loopback.js';

it.each([
  ['localhost', true],
  ['LocalHost', true],
  ['127.0.0.1', true],
  ['127.255.0.9', true],
  ['::1', true],
  ['0:0:0:0:0:0:0:1', true],
  ['::ffff:127.0.0.1', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['fe80::1', false],
  ['127.example', false],
  ['kv.example', false],
])('only programs of this machine reach %s: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
