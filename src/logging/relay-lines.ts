import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

/** A longer line is passed on in parts. */
const MAX_LINE_LENGTH = 1024 * 1024;

/** Passes on the output of a process in blocks of whole lines. A last line without an end is left out. */
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
