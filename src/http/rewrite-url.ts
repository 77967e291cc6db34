import type { IncomingMessage } from 'node:http';
import { isHost } from './request-head.js';

/** Stands for a key that cannot be decoded: itself no legal key, so it is refused like one, after the rate is counted. */
const UNDECODABLE_KEY = '/kv/.';

/** Stands for a target that is none: has a fragment, which none may have. */
const NO_TARGET = '/#';

/** A target in absolute form, as clients of a proxy send it (RFC 9112 §3.2.2). */
const ABSOLUTE_FORM = /^https?:\/\/([^/?#]+)/i;

/** Makes every request target one that the router can decode, in origin form. */
export function rewriteUrl(request: IncomingMessage): string {
  const url = originForm(request);
  if (!url.includes('%') || isDecodable(url)) return url;
  return url.startsWith('/kv/') ? UNDECODABLE_KEY : '/not-found';
}

/** The authority in the target takes the place of Host, which still has to be there. */
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
