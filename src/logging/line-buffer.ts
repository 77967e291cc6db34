/** Gathers lines and hands them on as blocks of whole lines. */
export class LineBuffer {
  private text = '';

  /** `maxLength` in characters: a block is longer only where a single line is. */
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
