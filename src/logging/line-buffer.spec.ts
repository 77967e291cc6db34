import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineBuffer } from './line-buffer.js';

const MAX_LENGTH = 20;

function gather(lines: string[]): string[] {
  const blocks: string[] = [];
  const buffer = new LineBuffer({ write: (block) => blocks.push(block) }, MAX_LENGTH);
  for (const line of lines) buffer.write(line);
  buffer.flush();
  return blocks;
}

describe('LineBuffer', () => {
  it('hands on nothing before a block is full or it is told to', () => {
    const blocks: string[] = [];
    const buffer = new LineBuffer({ write: (block) => blocks.push(block) }, MAX_LENGTH);
    buffer.write('a line\n');
    buffer.write('another\n');
    expect(blocks).toEqual([]);
    buffer.write('the third\n');
    expect(blocks).toEqual(['a line\nanother\n']);
    buffer.flush();
    buffer.flush();
    expect(blocks).toEqual(['a line\nanother\n', 'the third\n']);
  });

  it('keeps every line whole and in order, in blocks no longer than they may be', () => {
    const line = fc.string({ maxLength: 2 * MAX_LENGTH, unit: 'binary' }).map((text) => `${text}\n`);
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const blocks = gather(lines);
        expect(blocks.join('')).toBe(lines.join(''));
        for (const block of blocks) {
          expect(block.endsWith('\n')).toBe(true);
          expect(block.length <= MAX_LENGTH || lines.includes(block)).toBe(true);
        }
      }),
    );
  });
});
