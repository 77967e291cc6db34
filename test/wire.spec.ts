import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ANSWER_SIZE } from '../src/store/answer-size.js';
import { OUTCOME } from '../src/store/outcome.js';
import { BRANCH, CHANGE, COMPARE, OPERATION, RECORD, RETRY, ROW } from '../src/store/positions.js';

function lua(name: string): string {
  return readFileSync(new URL(`../tarantool/kv/${name}.lua`, import.meta.url), 'utf8');
}

/** `local A, B = 1, 2` as `{A: 1, B: 2}`, by the first of its names. */
function locals(text: string, first: string): Record<string, number> {
  const [, names = '', numbers = ''] =
    new RegExp(`^local (${first}\\b[A-Z_, ]*) = ([\\d, ]+)$`, 'm').exec(text) ?? [];
  const values = numbers.split(', ').map(Number);
  return Object.fromEntries(names.split(', ').map((name, i) => [name, values[i] ?? Number.NaN]));
}

/** Lua counts from one. */
function numbered(names: readonly string[], prefix = ''): Record<string, number> {
  return Object.fromEntries(names.map((name, i) => [prefix + name, i + 1]));
}

describe('the service and the store mean the same', () => {
  it('by the codes of outcomes', () => {
    const codes = [...lua('outcome').matchAll(/^\s+([A-Z_]+) = (\d+),$/gm)];
    expect(Object.fromEntries(codes.map(([, name, code]) => [name, Number(code)]))).toEqual(OUTCOME);
  });

  it('by the sizes of answers', () => {
    const sizes = [...lua('answer').matchAll(/^ {4}([A-Z_]+_BYTES|MAX_BYTES) = ([\d *]+),$/gm)];
    const bytes = (product = ''): number => product.split(' * ').reduce((all, n) => all * Number(n), 1);
    expect(Object.fromEntries(sizes.map(([, name, size]) => [name, bytes(size)]))).toEqual(ANSWER_SIZE);
  });

  it('by the positions in a row', () => {
    const [, fields = ''] = /^local row = \{(.+)\}$/m.exec(lua('row')) ?? [];
    const positions = fields.split(', ').map((field) => field.split(' = '));
    expect(Object.fromEntries(positions.map(([name, at]) => [name, Number(at)]))).toEqual(numbered(ROW));
  });

  it('by the positions in comparisons and operations, and by the branches of a transaction', () => {
    const txn = lua('txn');
    const { OP, ...others } = locals(txn, 'OP');
    const [, ...behind] = OPERATION;
    expect(OP).toBe(1);
    expect(others).toEqual(Object.fromEntries(behind.map((name, i) => [`OP_${name}`, i + 2])));
    expect(locals(txn, 'COMPARE_KEY')).toEqual(numbered(COMPARE, 'COMPARE_'));
    expect(locals(txn, 'SUCCESS')).toEqual(BRANCH);
  });

  it('by the positions in a retry and in a record', () => {
    const retries = lua('retries');
    expect(locals(retries, 'RETRY_CLIENT')).toEqual(numbered(RETRY, 'RETRY_'));
    expect(locals(retries, 'CLIENT')).toEqual(numbered(RECORD.slice(0, -1)));
    const fields = [...lua('schema').matchAll(/kv_retries'[^]*?:format\(\{([^]*?)\n {4}\}\)/g)][0]?.[1] ?? '';
    const names = [...fields.matchAll(/name = '(\w+)'/g)].map(([, name = '']) => name.toUpperCase());
    expect(names).toEqual(RECORD);
  });

  it('by what a change in the log does', () => {
    expect(locals(lua('changes'), 'INSERT')).toEqual(CHANGE);
  });
});
