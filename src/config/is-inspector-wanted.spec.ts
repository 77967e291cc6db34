import { afterEach, expect, it, vi } from 'vitest';
import { isInspectorWanted } from './is-inspector-wanted.js';

afterEach(() => void vi.unstubAllEnvs());

it.each([
  ['', false],
  ['--inspect-port=0 --enable-source-maps', false],
  ['--inspect', true],
  ['--inspect=127.0.0.1:0 --enable-source-maps', true],
  ['--enable-source-maps --inspect-brk', true],
  ['--inspect-wait=0', true],
])('with NODE_OPTIONS="%s" the inspector is wanted: %s', (options, wanted) => {
  vi.stubEnv('NODE_OPTIONS', options);
  expect(isInspectorWanted()).toBe(wanted);
});
