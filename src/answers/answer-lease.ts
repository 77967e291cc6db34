/** Bytes of the budget that one answer holds until it has left. */
export class AnswerLease {
  constructor(
    private bytes: number,
    private readonly giveBack: (bytes: number) => void,
  ) {}

  /** Keeps so many bytes at most, and gives back the others. */
  shrink(bytes: number): void {
    const rest = this.bytes - bytes;
    if (rest <= 0) return;
    this.bytes = bytes;
    this.giveBack(rest);
  }

  /** Gives back all of them; again it does nothing. */
  release(): void {
    this.shrink(0);
  }
}
