import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { OUTCOME } from '../src/store/outcome.js';

it('the outcome codes of the store and of the service are the same', () => {
  const lua = readFileSync(new URL('../tarantool/kv/outcome.lua', import.meta.url), 'utf8');
  const codes = [...lua.matchAll(/^\s+([A-Z_]+) = (\d+),$/gm)].map(([, name, code]) => [name, Number(code)]);
  expect(codes.length).toBeGreaterThan(0);
  expect(Object.fromEntries(codes)).toEqual(OUTCOME);
});
