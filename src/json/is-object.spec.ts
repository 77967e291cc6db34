import { expect, it } from 'vitest';
import type { JsonValue } from './json.types.js';
import { isObject } from './is-object.js';

it('an object is neither null nor an array nor a scalar', () => {
  const values: (JsonValue | undefined)[] = [undefined, null, true, 1, 1n, 'a', [], [{}], {}, { a: 1 }];
  expect(values.filter((value) => isObject(value))).toEqual([{}, { a: 1 }]);
});
