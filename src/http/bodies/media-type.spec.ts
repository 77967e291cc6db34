import { describe, expect, it } from 'vitest';
import { checkNotCoded, isJsonMediaType, readMediaType } from './media-type.js';

describe('a media type (RFC 9110 §8.3.1)', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON', 'application/json'],
    ['application/json;charset=utf-8', 'application/json'],
    ['application/json ; Charset="UTF-8"', 'application/json'],
    ['application/json; charset="\\u\\t\\f-8"', 'application/json'],
    ['application/json;charset=utf8;', 'application/json'],
    ['application/json;', 'application/json'],
    ['application/json;; ;charset=utf-8', 'application/json'],
    ['application/json; odata.metadata=minimal', 'application/json'],
    [
      'application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8',
      'application/json',
    ],
    ['application/ld+json; profile="http://www.w3.org/ns/json-ld#compacted"', 'application/ld+json'],
    ['application/json; a="; charset=latin1"', 'application/json'],
    ['application/json; a="\\"; charset=latin1"', 'application/json'],
    ['application/vnd.api+json; ext="https://a/b,c;d"', 'application/vnd.api+json'],
    ['application/json; charset=latin1', undefined],
    ['application/json; charset=xutf-8', undefined],
    ['application/json; charset=utf-8x', undefined],
    ['application/json; charset="utf-16"', undefined],
    ['application/json; charset=utf-8; charset=latin1', undefined],
    ['application/json; charset=', undefined],
    ['application/json; charset="utf-8', undefined],
    ['application/json; charset = utf-8', undefined],
    ['application/json charset=utf-8', undefined],
    ['application/json, text/plain', undefined],
    ['application/', undefined],
    ['json', undefined],
    ['', undefined],
  ])('%j is %j', (field, type) => {
    expect(readMediaType(field)).toBe(type);
  });

  it('is one of JSON where its suffix says so (RFC 6839 §3.1)', () => {
    const types = [
      'application/json',
      'application/a+json',
      'text/json',
      'application/+json',
      'application/jsonp',
      'x-application/json',
      undefined,
    ];
    expect(types.map(isJsonMediaType)).toEqual([true, true, false, false, false, false, false]);
  });

  it.each(['application/json' + '; a'.repeat(5000), 'application/json' + ' '.repeat(16_000) + 'x'])(
    'is refused in a time that grows with its length',
    (field) => {
      expect(readMediaType(field)).toBeUndefined();
    },
  );
});

describe('Content-Encoding', () => {
  it.each([undefined, '', 'identity', 'Identity', 'identity, identity'])('%j is none', (coding) => {
    expect(() => checkNotCoded(coding === undefined ? {} : { 'content-encoding': coding })).not.toThrow();
  });

  it.each(['gzip', 'br', 'identity, gzip', 'x'])('%j is refused, with what is taken instead', (coding) => {
    expect(() => checkNotCoded({ 'content-encoding': coding })).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_MEDIA_TYPE',
        headers: { 'Accept-Encoding': 'identity' },
      }) as Error,
    );
  });
});
