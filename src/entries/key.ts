import { KvError } from './kv.errors.js';

/** C0, DEL and C1: what Unicode calls a control character. */
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * A key is 1…`maxBytes` bytes of well-formed UTF-8 without control characters, and neither `.` nor `..`, which a URL's path
 * cannot carry (RFC 3986 §5.2.4).
 * @throws {KvError} INVALID_KEY
 */
export function checkKey(key: string, maxBytes: number): void {
  if (
    key === '' ||
    key === '.' ||
    key === '..' ||
    CONTROL_CHARACTER.test(key) ||
    !key.isWellFormed() ||
    Buffer.byteLength(key) > maxBytes
  ) {
    throw new KvError('INVALID_KEY');
  }
}
