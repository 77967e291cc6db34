import type { IncomingMessage } from 'node:http';
import { KvError } from '../entries/kv.errors.js';

const MAX_KEY_CHARACTERS = 255;

/** A String of structured fields (RFC 9651 §3.3.3), with the white space around it that §4.2 allows. */
const STRING = /^ *"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])+)" *$/;

/**
 * The key of a write that can be repeated (draft-ietf-httpapi-idempotency-key-header §2.1). Undefined without the
 * field.
 * @throws {KvError} INVALID_IDEMPOTENCY_KEY for anything but one String of 1 to 255 characters.
 */
export function parseIdempotencyKey(request: IncomingMessage): string | undefined {
  const field = request.headers['idempotency-key'];
  if (field === undefined) return undefined;
  // Node joins several lines of the field with commas, and `"a` and `b"` would make one String.
  const lines = request.headersDistinct['idempotency-key'] ?? [];
  const key = lines.length === 1 ? STRING.exec(String(field))?.[1]?.replaceAll(/\\(.)/g, '$1') : undefined;
  if (key === undefined || key.length > MAX_KEY_CHARACTERS) throw new KvError('INVALID_IDEMPOTENCY_KEY');
  return key;
}

/**
 * For writes that cannot be repeated with a key. A client that sends one relies on it, so it is not ignored.
 * @throws {KvError} INVALID_IDEMPOTENCY_KEY
 */
export function refuseIdempotencyKey({ headers }: IncomingMessage): void {
  if (headers['idempotency-key'] !== undefined) throw new KvError('INVALID_IDEMPOTENCY_KEY');
}
