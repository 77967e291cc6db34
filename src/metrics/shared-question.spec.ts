import { describe, expect, it } from 'vitest';
import { LateError, SharedQuestion } from './shared-question.js';

describe('a question that many ask', () => {
  it('is asked again after a failure, which all who waited are told', async () => {
    let asked = 0;
    const question = new SharedQuestion(
      () => (++asked === 1 ? Promise.reject(new Error('the first')) : Promise.resolve(asked)),
      { freshMs: 60_000, waitMs: 1000 },
    );
    const failures = await Promise.allSettled([question.answer(), question.answer()]);
    expect(failures.map((each) => each.status)).toEqual(['rejected', 'rejected']);
    expect([await question.answer(), await question.answer(), asked]).toEqual([2, 2, 2]);
  });

  it('is not asked again while it takes longer than anybody waits', async () => {
    let asked = 0;
    let settle = (_answer: string): void => {};
    const question = new SharedQuestion(
      () => {
        asked++;
        return new Promise<string>((resolve) => (settle = resolve));
      },
      { freshMs: 0, waitMs: 10 },
    );
    await expect(question.answer()).rejects.toBeInstanceOf(LateError);
    const waiting = question.answer();
    settle('late');
    expect([await waiting, asked]).toEqual(['late', 1]);
  });
});
