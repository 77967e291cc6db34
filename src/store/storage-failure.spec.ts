import { describe, expect, it } from 'vitest';
import {
  TarantoolNotSentError,
  TarantoolOutcomeUnknownError,
  TarantoolServerError,
} from '../tarantool/tarantool-client.errors.js';
import { readFailure, writeFailure } from './storage-failure.js';

const notSent = new TarantoolNotSentError();
const unknown = new TarantoolOutcomeUnknownError();
const server = (code: number): Error => new TarantoolServerError(code, 'text for the log');
/** A procedure that failed by a bug (ER_PROC_LUA). */
const bug = server(32);

/** The code and the cause of what is thrown; the error itself where it is passed on. */
function thrownBy(fail: (error: unknown) => never, error: unknown): unknown {
  try {
    return fail(error);
  } catch (thrown) {
    const { code, cause } = thrown as { code: unknown; cause?: unknown };
    return thrown === error ? 'the same error' : [code, cause === error];
  }
}

describe('the failure of a read', () => {
  it.each<[string, unknown, unknown]>([
    ['was not sent', notSent, ['STORAGE_UNAVAILABLE', true]],
    ['got no answer', unknown, ['STORAGE_UNAVAILABLE', true]],
    ['found no memory', server(2), ['STORAGE_UNAVAILABLE', true]],
    ['was denied', server(42), ['STORAGE_UNAVAILABLE', true]],
    ['met a bug of ours', bug, 'the same error'],
  ])('that %s', (_what, error, thrown) => {
    expect(thrownBy(readFailure, error)).toEqual(thrown);
  });
});

describe('the failure of a write', () => {
  it.each<[string, unknown, unknown]>([
    ['was not sent', notSent, ['STORAGE_UNAVAILABLE', true]],
    ['got no answer', unknown, ['OUTCOME_UNKNOWN', true]],
    ['found no memory', server(2), ['STORAGE_UNAVAILABLE', true]],
    ['met a read-only store', server(7), ['STORAGE_UNAVAILABLE', true]],
    ['found the disk full', server(40), ['STORAGE_UNAVAILABLE', true]],
    ['was denied', server(42), ['STORAGE_UNAVAILABLE', true]],
    ['was larger than a tuple', server(110), ['VALUE_TOO_LARGE', true]],
    ['met a bug of ours', bug, 'the same error'],
    ['broke off here', new Error('a bug'), 'the same error'],
  ])('that %s', (_what, error, thrown) => {
    expect(thrownBy(writeFailure, error)).toEqual(thrown);
  });
});
