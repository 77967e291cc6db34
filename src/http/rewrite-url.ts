import type { IncomingMessage } from 'node:http';
import { isHost } from './request-head.js';

/**
 * Replaces the path of a key that cannot be decoded. `.` is no legal key, so the request is refused as for any
 * illegal key, after its rate is counted.
 */
const UNDECODABLE_KEY = '/kv/.';

/** Replaces a request target that is not valid. It has a fragment, which no valid target may have. */
const NO_TARGET = '/#';

/** A target in absolute form, as clients of a proxy send it (RFC 9112 §3.2.2). */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)/i;

/** Turns every request target into the origin form, in a way that the router can decode. */
export function rewriteUrl(request: IncomingMessage): string {
  const url = originForm(request);
  if (!url.includes('%') || isDecodable(url)) return url;
  return url.startsWith('/kv/') ? UNDECODABLE_KEY : '/not-found';
}

/** The authority in the target takes precedence over Host, which must still be sent. */
function originForm(request: IncomingMessage): string {
  const { url = '/', headers } = request;
  if (url.startsWith('/') || url === '*') return url;
  const [start = '', authority = ''] = ABSOLUTE_FORM.exec(url) ?? [];
  if (authority === '' || !isHost(authority)) return NO_TARGET;
  if (headers.host === undefined ? request.httpVersion === '1.0' : isHost(headers.host))
    headers.host = authority;
  const path = url.slice(start.length);
  return path.startsWith('/') ? path : `/${path}`;
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '');
    return true;
  } catch {
    return false;
  }
}
