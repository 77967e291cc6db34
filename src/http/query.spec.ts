import { describe, expect, it } from 'vitest';
import { checkEscapes, parseCount, parseFlag, parseText } from './query.js';

const invalid = expect.objectContaining({ code: 'INVALID_QUERY' }) as Error;

describe('a parameter of the query', () => {
  it.each([
    [{}, false],
    [{ flag: 'false' }, false],
    [{ flag: 'true' }, true],
  ])('that is a flag in %j is %j', (query, flag) => {
    expect(parseFlag(query, 'flag')).toBe(flag);
  });

  it.each(['', 'TRUE', '1', ['true', 'true']])('is refused as a flag when it is %j', (flag) => {
    expect(() => parseFlag({ flag }, 'flag')).toThrow(invalid);
  });

  it.each([undefined, '', 'a b'])('that is text is %j', (text) => {
    expect(parseText({ text }, 'text')).toBe(text);
  });

  it('is refused as text when it is given twice', () => {
    expect(() => parseText({ text: ['a', 'b'] }, 'text')).toThrow(invalid);
  });

  it.each([
    [undefined, undefined],
    ['1', 1],
    ['007', 7],
    ['1000', 1000],
  ])('that is a number in %j is %j', (count, number) => {
    expect(parseCount({ count }, 'count', 1000)).toBe(number);
  });

  it.each(['0', '1001', '-1', '1.5', '1e2', ' 1', '1 ', '', 'x', '0000000001', ['1', '2']])(
    'is refused as a number up to 1000 when it is %j',
    (count) => {
      expect(() => parseCount({ count }, 'count', 1000)).toThrow(invalid);
    },
  );

  it('may have at most nine digits', () => {
    expect(parseCount({ count: '999999999' }, 'count', 1e12)).toBe(999_999_999);
    expect(() => parseCount({ count: '1000000000' }, 'count', 1e12)).toThrow(invalid);
  });
});

describe('the escapes of a query', () => {
  it.each(['/kv', '/kv?a=b', '/kv?a=%C3%A9', '/kv/%zz?a=%20', '/kv/%C3%A9'])('are fine in %s', (url) => {
    expect(() => checkEscapes(url)).not.toThrow();
  });

  it.each(['/kv?a=%', '/kv?a=%zz', '/kv?a=%C3', '/kv?%=b'])('are refused in %s', (url) => {
    expect(() => checkEscapes(url)).toThrow(invalid);
  });
});
