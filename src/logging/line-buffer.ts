/** Gathers lines and passes them on in blocks of whole lines. */
export class LineBuffer {
  private text = '';

  /** `maxLength` is in characters. Only a block of a single line may be longer. */
  constructor(
    private readonly destination: { write(block: string): unknown },
    private readonly maxLength: number,
  ) {}

  write(line: string): void {
    if (this.text.length + line.length > this.maxLength) this.flush();
    this.text += line;
  }

  flush(): void {
    if (this.text === '') return;
    const block = this.text;
    this.text = '';
    this.destination.write(block);
  }
}
