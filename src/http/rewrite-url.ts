import type { IncomingMessage } from 'node:http';

/** Stands for a key that cannot be decoded: itself no legal key, so it is refused like one, after the rate is counted. */
const UNDECODABLE_KEY = '/kv/.';

/** Makes every request target one that the router can decode. */
export function rewriteUrl({ url = '/' }: IncomingMessage): string {
  if (!url.includes('%') || isDecodable(url)) return url;
  return url.startsWith('/kv/') ? UNDECODABLE_KEY : '/not-found';
}

function isDecodable(url: string): boolean {
  try {
    decodeURIComponent(url.split('?', 1)[0] ?? '');
    return true;
  } catch {
    return false;
  }
}
