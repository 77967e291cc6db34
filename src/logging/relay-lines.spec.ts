import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { expect, it } from 'vitest';
import { relayLines } from './relay-lines.js';

async function relay(chunks: (string | Buffer)[]): Promise<string[]> {
  const blocks: string[] = [];
  const source = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  relayLines(source, { write: (block) => blocks.push(block) });
  await finished(source);
  return blocks;
}

it('hands on whole lines, however they come', async () => {
  const [first, second] = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1)];
  expect(await relay(['a\nb', 'c', 'd\ne\n', first, second, '\n'])).toEqual(['a\n', 'bcd\ne\n', 'ä\n']);
});

it('leaves out a line that was not finished', async () => {
  expect(await relay(['a\nb'])).toEqual(['a\n']);
});

it('does not wait for ever for the end of a line', async () => {
  const long = 'x'.repeat(1024 * 1024 + 1);
  expect(await relay([long, '\n'])).toEqual([long, '\n']);
});
