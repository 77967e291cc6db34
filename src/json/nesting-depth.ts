const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET_BIT = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Whether containers lie more than `max` deep in each other in a JSON text. Of what is no JSON it may say either. It reads each byte
 * once, and makes nothing: it runs before anything that could be nested too deep is made.
 */
export function isNestedDeeper(bytes: Uint8Array, max: number): boolean {
  const { length } = bytes;
  // Each level takes two bytes.
  if (length < 2 * max) return false;
  let depth = 0;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1);
    } else if (byte > 0x5a) {
      // [ and {, as ] and }, differ in one bit.
      const bracket = byte | BRACKET_BIT;
      if (bracket === OPEN) {
        if (++depth > max) return true;
      } else if (bracket === CLOSE) depth--;
    }
  }
  return false;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}
