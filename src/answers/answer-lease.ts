/** The bytes of the budget that one answer holds until it has been sent. */
export class AnswerLease {
  constructor(
    private bytes: number,
    private readonly giveBack: (bytes: number) => void,
  ) {}

  /** Keeps at most this many bytes, and gives back the rest. */
  shrink(bytes: number): void {
    const rest = this.bytes - bytes;
    if (rest <= 0) return;
    this.bytes = bytes;
    this.giveBack(rest);
  }

  /** Gives back all bytes. Calling it again does nothing. */
  release(): void {
    this.shrink(0);
  }
}
