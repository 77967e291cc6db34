import { describe, expect, it } from 'vitest';
import { escapedBytes, JsonText, quotedBytes } from './json-text.js';

const TEXTS = [
  '',
  'a',
  'abc',
  ' ',
  '/',
  '~',
  '\u007f',
  '\u0080',
  'é',
  '€',
  '😀',
  '\ud800',
  '"',
  '\\',
  '\n',
  '\u0001',
  '\u001f',
  'a"',
  'x\\',
  'a\tb',
];

describe('the bytes of a string as JSON', () => {
  it.each(TEXTS)('of %j, quotes included', (text) => {
    expect(quotedBytes(text)).toBe(Buffer.byteLength(JSON.stringify(text)));
  });

  it('of a part of a buffer, without the quotes', () => {
    const bytes = Buffer.from('""a\n€"\u0001"""');
    expect(escapedBytes(bytes, 2, 9)).toBe(Buffer.byteLength('a\\n€\\"\\u0001'));
    for (let byte = 0; byte < 0x80; byte++) {
      const expected = JSON.stringify(String.fromCharCode(byte)).length - 2;
      expect(escapedBytes(Buffer.from([byte]), 0, 1)).toBe(expected);
    }
  });
});

describe('a text', () => {
  it('may be made in pieces, and then another one', () => {
    const text = new JsonText();
    const source = Buffer.from('é"');
    for (const piece of ['first', 'second']) {
      text.reset();
      text.ascii(piece);
      text.character(0x2c);
      text.quoted(source, 0, source.length);
      expect(text.finish()).toBe(`${piece},"é\\""`);
    }
  });

  it('is none where a string is not UTF-8', () => {
    const text = new JsonText();
    text.quoted(Buffer.from([0xe9]), 0, 1);
    expect(text.finish()).toBeUndefined();
  });
});
