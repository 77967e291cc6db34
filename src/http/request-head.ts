import type { IncomingMessage } from 'node:http';
import { HttpError } from './http.errors.js';

/** More than any client sends; Apache, HAProxy and Envoy stop at 100. */
const MAX_FIELDS = 200;

/**
 * Fields that may have only one value, and that we read or that change what a request means. If such a field were
 * repeated, nobody could say which value counts (RFC 9110 §5.3).
 */
const SINGLE_FIELDS: ReadonlySet<string> = new Set([
  'access-control-request-method',
  'authorization',
  'content-length',
  'content-type',
  'host',
  'if-modified-since',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'origin',
  'sec-fetch-site',
]);

/** `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2). */
const HOST =
  /^(?:\[[\da-f:.]+\]|\[v[\da-f]+\.[\w.~!$&'()*+,;=:-]+\]|(?:[\w.~!$&'()*+,;=-]|%[\da-f]{2})*)(?::\d*)?$/i;

const CLOSE = { Connection: 'close' };

/** Most requests name the same host as the request before. */
let lastHost: string | undefined;

export function isHost(host: string): boolean {
  if (host === lastHost) return true;
  const isLegal = HOST.test(host);
  if (isLegal) lastHost = host;
  return isLegal;
}

/**
 * Checks that the request line and the fields have one clear meaning. Where the end of the message is in doubt, the
 * bytes behind it are in doubt too, and the connection is closed.
 * @returns HEADERS_TOO_LARGE for too many fields, because no field may be dropped (RFC 9110 §5.4); MALFORMED_REQUEST
 * for a repeated field that may have only one value, a missing or illegal Host (RFC 9112 §3.2), or an illegal request
 * target (§3.2); NOT_IMPLEMENTED for a transfer coding other than `chunked` (§6.1); VERSION_NOT_SUPPORTED.
 */
export function headFault(request: IncomingMessage): HttpError | undefined {
  const { headers, rawHeaders, url = '', httpVersion } = request;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return new HttpError('VERSION_NOT_SUPPORTED', CLOSE);
  if (rawHeaders.length > 2 * MAX_FIELDS) return new HttpError('HEADERS_TOO_LARGE', CLOSE);
  const coding = headers['transfer-encoding'];
  if (coding !== undefined) {
    // HTTP/1.0 has no transfer codings. A proxy that speaks it may see another end of this message.
    if (httpVersion === '1.0') return new HttpError('MALFORMED_REQUEST', CLOSE);
    if (coding.toLowerCase() !== 'chunked') return new HttpError('NOT_IMPLEMENTED', CLOSE);
  }
  const isFaulty =
    (headers.host === undefined ? httpVersion === '1.1' : !isHost(headers.host)) ||
    isRepeated(request) ||
    !isOurTarget(url, request.method);
  return isFaulty ? new HttpError('MALFORMED_REQUEST') : undefined;
}

/**
 * Node joins fields that are lists, and keeps the first or last line of others. So fewer names than lines mean that a
 * field is repeated.
 */
function isRepeated(request: IncomingMessage): boolean {
  let names = 0;
  for (const _name in request.headers) names++;
  if (names * 2 === request.rawHeaders.length) return false;
  return Object.entries(request.headersDistinct).some(
    ([name, values]) => SINGLE_FIELDS.has(name) && values !== undefined && values.length > 1,
  );
}

/**
 * The origin form, into which `rewriteUrl` turns the absolute form, without a fragment; or the asterisk, for OPTIONS
 * only (RFC 9112 §3.2).
 */
function isOurTarget(url: string, method?: string): boolean {
  return url.startsWith('/') ? !url.includes('#') : url === '*' && method === 'OPTIONS';
}
