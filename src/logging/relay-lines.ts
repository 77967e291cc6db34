import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A line that is longer is handed on in parts. */
const MAX_LINE_LENGTH = 1024 * 1024;

/** Hands on what a process writes, in blocks of whole lines. What it did not finish before it ended is left out. */
export function relayLines(source: Readable, destination: { write(block: string): unknown }): void {
  const decoder = new StringDecoder();
  let rest = '';
  source.on('data', (chunk: Buffer) => {
    rest += decoder.write(chunk);
    const end = rest.length > MAX_LINE_LENGTH ? rest.length : rest.lastIndexOf('\n') + 1;
    if (end > 0) destination.write(rest.slice(0, end));
    rest = rest.slice(end);
  });
  source.on('error', () => {});
}
