import { KvError } from './kv.errors.js';

/** C0, DEL and C1, which Unicode calls control characters. */
const CONTROL_CHARACTER = /\p{Cc}/u;

/**
 * Checks a key: 1 to `maxBytes` bytes of well-formed UTF-8 without control characters, and neither `.` nor `..`,
 * which the path of a URL cannot hold (RFC 3986 §5.2.4).
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
