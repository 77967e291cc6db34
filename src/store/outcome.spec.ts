import { describe, expect, it } from 'vitest';
import { KvError } from '../entries/kv.errors.js';
import { OUTCOME, refusal } from './outcome.js';

describe('refusal', () => {
  it.each([
    [OUTCOME.NOT_FOUND, 'KEY_NOT_FOUND'],
    [OUTCOME.EXISTS, 'KEY_EXISTS'],
    [OUTCOME.PRECONDITION_FAILED, 'PRECONDITION_FAILED'],
    [OUTCOME.REUSED, 'IDEMPOTENCY_KEY_REUSED'],
    [OUTCOME.FULL, 'TOO_MANY_IDEMPOTENCY_KEYS'],
    [OUTCOME.UNSETTLED, 'OUTCOME_UNKNOWN'],
  ])('tells of outcome %i as %s, with the version of an existing entry', (outcome, code) => {
    expect(refusal(outcome, 5)).toEqual(new KvError(code as KvError['code'], { presentVersion: 5 }));
    expect(refusal(outcome, 5)).toMatchObject({ code, presentVersion: 5 });
    expect(refusal(outcome, 1).presentVersion).toBe(1);
    expect(refusal(outcome, 0)).toMatchObject({ code, presentVersion: undefined });
    expect(refusal(outcome).presentVersion).toBeUndefined();
  });

  it.each([OUTCOME.OK, OUTCOME.ABORTED, OUTCOME.LARGE, OUTCOME.REPLAYED, OUTCOME.READ_ONLY, 99])(
    'takes outcome %i for none, and says so',
    (outcome) => {
      expect(() => refusal(outcome)).toThrow(
        `the store answered with outcome ${outcome}, which is not known here`,
      );
    },
  );
});
