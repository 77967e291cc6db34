/** The fewest digits of an integer that a double may not hold exactly: 2^53 − 1 = 9007199254740991 has 16. */
const UNSAFE_DIGITS = 16;

/**
 * A double overflows only with an exponent of at least three digits (1e309) or a long integer part: 10^200 × 10^99
 * still fits.
 */
const EXPONENT_DIGITS = 3;
const OVERFLOWING_DIGITS = 200;

const PLUS = 0x2b;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const LOWER_E = 0x65;
const SEPARATORS = new Set(Buffer.from(' \t\r\n,:[]{}'));

export interface NumberHints {
  /** There may be an integer that a double cannot hold. */
  unsafeInteger: boolean;
  /** There may be a number that overflows a double. */
  overflow: boolean;
}

/**
 * Whether the text may hold numbers that `JSON.parse` would change. It may report numbers where there are none,
 * because it cannot tell strings from numbers. It never misses one, provided that the text is JSON.
 *
 * It runs over every document, and nearly none needs more than the native parser, so it must cost next to nothing.
 * Each run of digits that matters has at least three digits, so a look at each third byte finds it.
 */
export function scanNumbers(bytes: Uint8Array): NumberHints {
  const hints = { unsafeInteger: false, overflow: false };
  const { length } = bytes;
  let at = EXPONENT_DIGITS - 1;
  while (at < length) {
    if (isDigit(bytes[at])) {
      let start = at;
      while (start > 0 && isDigit(bytes[start - 1])) start--;
      let end = at + 1;
      while (end < length && isDigit(bytes[end])) end++;
      if (end - start >= EXPONENT_DIGITS && endsNumber(bytes, end)) inspect(bytes, start, end, hints);
      if (end - start >= OVERFLOWING_DIGITS) hints.overflow = true;
      at = end;
    }
    at += EXPONENT_DIGITS;
  }
  return hints;
}

function inspect(bytes: Uint8Array, start: number, end: number, hints: NumberHints): void {
  if (isExponent(bytes, start)) hints.overflow = true;
  const digits = end - start;
  if (digits < UNSAFE_DIGITS || (digits === UNSAFE_DIGITS && bytes[start] !== NINE)) return;
  if (beginsInteger(bytes, start)) hints.unsafeInteger = true;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte <= NINE && byte >= ZERO;
}

/** After e, E, e+ or E+. Lower case differs from upper case in the bit 0x20. */
function isExponent(bytes: Uint8Array, start: number): boolean {
  const before = start - (start > 0 && bytes[start - 1] === PLUS ? 2 : 1);
  return before > 0 && ((bytes[before] ?? 0) | 0x20) === LOWER_E;
}

function beginsInteger(bytes: Uint8Array, start: number): boolean {
  if (start === 0) return true;
  const before = bytes[start - 1];
  return before === MINUS || (before !== undefined && SEPARATORS.has(before));
}

function endsNumber(bytes: Uint8Array, end: number): boolean {
  const after = bytes[end];
  return after === undefined || SEPARATORS.has(after);
}
