import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_ENTITY_TAGS, mustNotExist, parseVersions } from './precondition.js';

const invalid = expect.objectContaining({ code: 'INVALID_PRECONDITION' }) as Error;

describe('a list of entity tags (RFC 9110 §5.6.1.2, §8.8.3)', () => {
  // Holds version.tag-list, version.foreign-tags.
  it.each([
    ['*', '*'],
    [' * ', '*'],
    ['"5"', [5]],
    ['W/"5"', [5]],
    ['"5", "6"', [5, 6]],
    ['"5","6"', [5, 6]],
    ['"5"\t,\t"6"', [5, 6]],
    [',"5",', [5]],
    [', ,, "5" , ,', [5]],
    ['"a,b"', []],
    ['"a,b","5"', [5]],
    ['",", "5", "*"', [5]],
    ['"W/", W/"5"', [5]],
    ['"\\"', []],
    ['""', []],
    ['"\x80\xff"', []],
    ['"05", "0", "-5", "5.0", "5-gzip"', []],
    ['', []],
    [',', []],
  ])('%j names %j', (field, versions) => {
    expect(parseVersions(field)).toEqual(versions);
  });

  it.each([
    '5',
    '"5',
    '5"',
    'W/5',
    'w/"5"',
    'W/ "5"',
    '"5" "6"',
    '"5""6"',
    '"5"; "6"',
    '"a b"',
    '"\x7f"',
    '*, "5"',
    '"5", *',
    '**',
    '*,',
    ',*',
    '"a"\u00a0,"b"',
  ])('%j is malformed', (field) => {
    expect(() => parseVersions(field)).toThrow(invalid);
  });

  it('is read wherever it is legal', () => {
    const tag = fc
      .tuple(fc.constantFrom('', 'W/'), fc.stringMatching(/^[\x21\x23-\x7e\x80-\xff]{0,8}$/))
      .map(([weak, opaque]) => `${weak}"${opaque}"`);
    const element = fc.oneof({ arbitrary: tag, weight: 3 }, fc.constant(''));
    const space = fc.constantFrom('', ' ', '\t ');
    const spaced = fc.tuple(space, element, space).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(spaced, { maxLength: 20 }), fc.nat({ max: 20 }), (elements, at) => {
        const list = [...elements.slice(0, at), '"1742"', ...elements.slice(at)].join(',');
        expect(parseVersions(list)).toContain(1742);
      }),
    );
  });

  // Holds version.tag-bounds, limit.entity-tags.
  it('is bounded', () => {
    const tags = (count: number) => Array.from({ length: count }, () => '"a"').join(',');
    expect(parseVersions(`${tags(MAX_ENTITY_TAGS)},`)).toEqual([]);
    expect(() => parseVersions(tags(MAX_ENTITY_TAGS + 1))).toThrow(invalid);
  });
});

describe('If-None-Match on a write', () => {
  // Holds version.if-none-match-star-only.
  it('may only say that nothing must be there', () => {
    expect([mustNotExist(undefined), mustNotExist('*'), mustNotExist(' * ')]).toEqual([false, true, true]);
    for (const field of ['"5"', '', '*, *']) expect(() => mustNotExist(field)).toThrow(invalid);
  });
});
