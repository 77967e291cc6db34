import type { IncomingHttpHeaders } from 'node:http';
import { HttpError } from '../http.errors.js';

/** `type/subtype`, followed by parameters, which may be empty (RFC 9110 §8.3.1, §5.6.6). */
const TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+/;
const PARAMETER =
  /[\t ]*;[\t ]*(?:([\w!#$%&'*+.^`|~-]+)=([\w!#$%&'*+.^`|~-]+|"(?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*"))?/y;

/** `application/json`, or a type whose syntax is JSON (RFC 6839 §3.1). */
const JSON_TYPE = /^application\/(?:json|.+\+json)$/;

/**
 * Returns the media type in lower case and without its parameters. The only parameter that changes how JSON is read
 * is the charset, which must be UTF-8 (RFC 8259 §8.1). Returns undefined where the field is malformed or names
 * another charset.
 */
export function readMediaType(field: string): string | undefined {
  const type = TYPE.exec(field)?.[0];
  if (type === undefined) return undefined;
  for (PARAMETER.lastIndex = type.length; PARAMETER.lastIndex < field.length;) {
    const match = PARAMETER.exec(field);
    if (!match) return undefined;
    if (match[1]?.toLowerCase() === 'charset' && !isUtf8(match[2] ?? '')) return undefined;
  }
  return type.toLowerCase();
}

export function isJsonMediaType(mediaType: string | undefined): boolean {
  return mediaType !== undefined && JSON_TYPE.test(mediaType);
}

/**
 * Refuses a body with a content coding, such as gzip.
 * @throws {HttpError} UNSUPPORTED_MEDIA_TYPE, with `Accept-Encoding` (RFC 9110 §15.5.16).
 */
export function checkNotCoded({ 'content-encoding': codings = '' }: IncomingHttpHeaders): void {
  if (codings.split(',').some((coding) => !/^(?:identity)?$/i.test(coding.trim()))) {
    throw new HttpError('UNSUPPORTED_MEDIA_TYPE', { 'Accept-Encoding': 'identity' });
  }
}

function isUtf8(value: string): boolean {
  const text = value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
  return /^utf-?8$/i.test(text);
}
