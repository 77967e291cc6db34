import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { rewriteUrl } from './rewrite-url.js';

/** The target that the router sees, and the host that counts. */
function rewritten(
  url: string | undefined,
  host?: string,
  httpVersion = '1.1',
): [string, string | undefined] {
  const headers = host === undefined ? {} : { host };
  const request = { url, headers, httpVersion } as IncomingMessage;
  return [rewriteUrl(request), request.headers.host];
}

describe('a request target', () => {
  it.each(['/', '/kv/a', '/kv/a?b=%zz', '/kv/%C3%A9', '*', '/#a'])('%s stays as it is', (url) => {
    expect(rewritten(url, 'a')).toEqual([url, 'a']);
  });

  it.each([
    ['/kv/%zz', '/kv/.'],
    ['/kv/a%?b', '/kv/.'],
    ['/kv/%C3', '/kv/.'],
    ['/batch%zz', '/not-found'],
    ['/%', '/not-found'],
  ])('%s cannot be decoded, and becomes %s', (url, target) => {
    expect(rewritten(url, 'a')).toEqual([target, 'a']);
  });

  it('is the root where none is known', () => {
    expect(rewritten(undefined, 'a')).toEqual(['/', 'a']);
  });

  it.each([
    ['http://b/kv/a', '/kv/a', 'b'],
    ['HTTPS://b:443/kv/a?c=d', '/kv/a?c=d', 'b:443'],
    ['http://b', '/', 'b'],
    ['http://b?c=d', '/?c=d', 'b'],
    ['http://b#c', '/#c', 'b'],
    ['http://b/kv/%zz', '/kv/.', 'b'],
  ])('%s has the path %s and the host %s', (url, target, host) => {
    expect(rewritten(url, 'a')).toEqual([target, host]);
  });

  it.each([
    'http://',
    'http:///kv',
    'http://a b/',
    'http://u@b/',
    'ftp://b/',
    'b:443',
    'x http://b/',
    'kv/a',
  ])('%s is none', (url) => {
    expect(rewritten(url, 'a')).toEqual(['/#', 'a']);
  });

  it('does not replace the Host that has to be sent', () => {
    expect(rewritten('http://b/')).toEqual(['/', undefined]);
    expect(rewritten('http://b/', undefined, '1.0')).toEqual(['/', 'b']);
    expect(rewritten('http://b/', 'a', '1.0')).toEqual(['/', 'b']);
    expect(rewritten('http://b/', 'not legal')).toEqual(['/', 'not legal']);
  });
});
