const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET_BIT = 0x20;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/**
 * Whether containers in a JSON text are nested deeper than `max`. For text that is not JSON, either answer is
 * possible. It reads each byte once and allocates nothing, so it can run before the text is parsed.
 */
export function isNestedDeeper(bytes: Uint8Array, max: number): boolean {
  const { length } = bytes;
  // Each level takes at least two bytes.
  if (length < 2 * max) return false;
  let depth = 0;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1);
    } else if (byte > 0x5a) {
      // [ and { differ in one bit, and so do ] and }.
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
