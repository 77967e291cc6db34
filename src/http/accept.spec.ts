import { describe, expect, it } from 'vitest';
import { prefersProblem } from './accept.js';

describe('Accept (RFC 9110 §12.5.1)', () => {
  // Holds problem.asked-for.
  it.each([
    ['application/problem+json', true],
    ['Application/Problem+JSON', true],
    ['application/problem+json; charset=utf-8', true],
    ['application/json, application/problem+json', true],
    ['application/problem+json, */*', true],
    ['application/json;q=0.9, application/problem+json', true],
    ['application/problem+json;q=0.5, */*;q=0.1', true],
    ['application/problem+json ; q=0.8 , application/json ; q=0.8', true],
    ['text/html;level="a,application/json", application/problem+json;q=0.2', true],
    ['application/json;q=0, */*, application/problem+json;q=0.1', true],
    ['application/problem+json;q=0.5, application/json', false],
    ['application/problem+json;q=0.1, */*', false],
    ['application/problem+json;q=0.1, application/*;q=0.2', false],
    ['application/problem+json;q=0', false],
    ['application/problem+json;q=0.000, application/json;q=0', false],
    ['text/html;a="application/problem+json"', false],
    ['application/problem+jsonx', false],
    ['application/*+json', false],
    ['application/*', false],
    ['*/*', false],
    ['application/json', false],
    ['', false],
    [undefined, false],
  ])('%j prefers problem details: %j', (field, isPreferred) => {
    expect(prefersProblem(field)).toBe(isPreferred);
  });
});
