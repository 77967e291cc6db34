import { isAscii, isUtf8 } from 'node:buffer';
import { InvalidJsonError } from './json.errors.js';
import type { JsonValue } from './json.types.js';
import { isNestedDeeper } from './nesting-depth.js';
import { scanNumbers } from './scan-numbers.js';
import { markUnsafeIntegers, restoreNumbers } from './unsafe-integers.js';

/**
 * Parses JSON (RFC 8259) in well-formed UTF-8 without a byte order mark, and keeps 64-bit integers exactly.
 *
 * The native parser does the work. It keeps `__proto__` as a member, lets the last duplicate win, and does not
 * recurse. Lone surrogates that were written as escapes pass here, and `encodeValue` refuses them. Numbers in a
 * duplicate member that did not win may be out of range.
 *
 * @param maxDepth how deep containers may be nested, in duplicates that do not win too. Code that reads the result
 * may then recurse.
 * @throws InvalidJsonError for anything else, deeper nesting, an integer outside −2^63 … 2^64−1, or a number that
 * overflows a double
 */
export function parseJson(bytes: Buffer, maxDepth = Infinity): JsonValue {
  if (isNestedDeeper(bytes, maxDepth)) throw new InvalidJsonError('nested too deep');
  const text = decodeUtf8(bytes);
  const hints = scanNumbers(bytes);
  if (!hints.unsafeInteger && !hints.overflow) return parse(text);
  return restoreNumbers(parse(hints.unsafeInteger ? markUnsafeIntegers(text) : text));
}

function decodeUtf8(bytes: Buffer): string {
  if (isAscii(bytes)) return bytes.toString('latin1');
  if (!isUtf8(bytes)) throw new InvalidJsonError('not UTF-8');
  return bytes.toString('utf8');
}

function parse(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    // The cause is left out: V8's message quotes the text, and no client's value may get into the log.
    throw new InvalidJsonError('not JSON');
  }
}
