import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isNestedDeeper } from './nesting-depth.js';

const isDeeper = (text: string, max: number): boolean => isNestedDeeper(Buffer.from(text), max);

/** How deep a parsed value is nested. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

describe('isNestedDeeper', () => {
  it.each([
    ['', 0],
    ['1', 0],
    ['"[[{"', 0],
    ['"\\"[[["', 0],
    ['"\\\\"', 0],
    ['[]', 1],
    ['[{}]', 2],
    ['{"[":"\\\\","]":[1,{"{":"]"}]}', 3],
    ['[[],[[]],[]]', 3],
    ['{"a":1,"a":[[]],"a":2}', 3],
  ])('says of %s that it is %d deep', (text, depth) => {
    expect(isDeeper(text, depth)).toBe(false);
    if (depth > 0) expect(isDeeper(text, depth - 1)).toBe(true);
  });

  it('agrees with the parsed form', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const depth = depthOf(JSON.parse(text));
        expect(isDeeper(text, depth)).toBe(false);
        if (depth > 0) expect(isDeeper(text, depth - 1)).toBe(true);
      }),
    );
  });

  it.each(['['.repeat(1000), '{"a":'.repeat(1000), '[{"":'.repeat(1000), `"a",${'['.repeat(1000)}`])(
    'finds it in what is no JSON',
    (text) => {
      expect(isDeeper(text, 400)).toBe(true);
    },
  );
});
