import { randomUUID } from 'node:crypto';
import { isInRange } from './integer-range.js';
import { InvalidJsonError } from './json.errors.js';
import type { JsonObject, JsonValue } from './json.types.js';

/**
 * A number that begins with this many characters is out of range, whatever follows. The limit keeps an integer of a
 * million digits from being parsed into a bigint, which takes quadratic time.
 */
const ENOUGH_CHARACTERS = 22;

/**
 * Stands in front of an integer that passes through `JSON.parse` as a string. No client knows it, so no client can
 * send a string that would be read as an integer.
 */
const MARK = `${randomUUID()}:`;

/**
 * A whole integer token of 16 digits or more that is not a member's name. The look-behind keeps the search linear: a
 * match never starts within a run of digits.
 */
const LONG_INTEGER = /(?<![\d.eE+-])-?[1-9]\d{15,}(?![\d.eE]|[ \t\r\n]*:)/g;

/** The text with its unsafe integers replaced by marked strings. */
export function markUnsafeIntegers(text: string): string {
  const strings = new StringTracker(text);
  return text.replace(LONG_INTEGER, (token, offset: number) => {
    if (strings.contains(offset) || Number.isSafeInteger(Number(token))) return token;
    return `"${MARK}${token.slice(0, ENOUGH_CHARACTERS)}"`;
  });
}

/**
 * Turns marked strings into bigints in place, and refuses integers out of range and numbers that overflowed.
 * Duplicate members that did not win are gone by now, so their numbers do not count. The nesting is not bounded yet,
 * so it does not recurse.
 */
export function restoreNumbers(value: JsonValue): JsonValue {
  const root = [value];
  const pending: (JsonValue[] | JsonObject)[] = [root];
  const restore = (item: JsonValue): JsonValue => {
    if (typeof item === 'string') return item.startsWith(MARK) ? readInteger(item.slice(MARK.length)) : item;
    if (typeof item === 'object' && item !== null) pending.push(item);
    else if (item === Infinity || item === -Infinity) throw new InvalidJsonError('number out of range');
    return item;
  };
  for (let container = pending.pop(); container !== undefined; container = pending.pop()) {
    if (Array.isArray(container)) {
      for (const [index, item] of container.entries()) {
        const restored = restore(item);
        if (restored !== item) container[index] = restored;
      }
    } else {
      for (const name of Object.keys(container)) {
        const item = container[name] ?? null;
        const restored = restore(item);
        // Safe for `__proto__` too: it is an own property here, which hides the setter of Object.prototype.
        if (restored !== item) container[name] = restored;
      }
    }
  }
  return root[0] ?? null;
}

function readInteger(token: string): bigint {
  const integer = BigInt(token);
  if (!isInRange(integer)) throw new InvalidJsonError('integer out of range');
  return integer;
}

/** Tells whether an offset lies in a string of a JSON text, for offsets that only grow. */
class StringTracker {
  private at = 0;
  private inString = false;
  private nextQuote: number;

  constructor(private readonly text: string) {
    this.nextQuote = text.indexOf('"');
  }

  contains(offset: number): boolean {
    while (this.nextQuote !== -1 && this.nextQuote < offset) {
      if (!this.inString) this.inString = true;
      else if (!this.isEscaped(this.nextQuote)) this.inString = false;
      this.at = this.nextQuote + 1;
      this.nextQuote = this.text.indexOf('"', this.at);
    }
    return this.inString;
  }

  private isEscaped(quote: number): boolean {
    let first = quote;
    while (first > this.at && this.text.charCodeAt(first - 1) === 0x5c) first--;
    return (quote - first) % 2 === 1;
  }
}
