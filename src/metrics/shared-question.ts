/** For how long metrics are given again, so that those who ask, however many they are, cost little. */
export const FRESH_MS = 500;

/** The question takes longer than anybody waits. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

interface Times {
  /** For how long an answer is given again. */
  readonly freshMs: number;
  /** The longest that anybody waits. The question may take longer, and is not asked again meanwhile. */
  readonly waitMs: number;
}

/** A question that is asked once at a time, for all who want the answer meanwhile. */
export class SharedQuestion<T> {
  private asking: Promise<T> | undefined;
  private last: { readonly answer: T; readonly at: number } | undefined;

  constructor(
    private readonly ask: () => Promise<T>,
    private readonly times: Times,
  ) {}

  /** Rejects as the question does, or when the answer takes too long. */
  async answer(): Promise<T> {
    if (this.last && performance.now() - this.last.at < this.times.freshMs) return this.last.answer;
    this.asking ??= this.askOnce();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new LateError('no answer in time')), this.times.waitMs);
    });
    try {
      return await Promise.race([this.asking, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async askOnce(): Promise<T> {
    try {
      const answer = await this.ask();
      this.last = { answer, at: performance.now() };
      return answer;
    } finally {
      this.asking = undefined;
    }
  }
}
