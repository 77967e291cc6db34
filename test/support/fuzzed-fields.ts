import fc from 'fast-check';

const CRLF = '\r\n';

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  Host: ['127.0.0.1', 'a, b', 'a b', '', '[::1]:5000', 'evil.example'],
  'Content-Type': [
    'application/json',
    'application/json; charset=utf-8',
    'application/json; charset=latin1',
    'application/merge-patch+json',
    'application/json-patch+json',
    'text/plain',
    ';',
    'application/ld+json; profile="a;b,c"',
  ],
  'Content-Encoding': ['gzip', 'identity', ''],
  'If-Match': ['*', '"1"', 'W/"1"', '"a,b"', ',"5",', '"', '"1" "2"', '*, "1"', '\u00e9'],
  'If-None-Match': ['*', '"1"', 'W/"1"', '"1", "2"', 'x'],
  Expect: ['100-continue', 'other'],
  Connection: ['close', 'keep-alive', 'upgrade', 'if-match'],
  Upgrade: ['websocket', 'h2c'],
  'X-Forwarded-For': ['10.0.0.1', '"[2001:db8::1]:443"', 'unknown', ',,,'],
  'X-Request-Id': ['order-17', '', 'a, b', 'x'.repeat(200)],
  Origin: ['null', 'http://127.0.0.1', 'https://evil.example'],
  'Sec-Fetch-Site': ['cross-site', 'same-origin', 'none', 'x'],
  Accept: ['application/problem+json', '*/*', 'text/html;q=0', ';;'],
  'Access-Control-Request-Method': ['PUT', 'X'],
  Prefer: ['wait=1', 'wait=x'],
  'Transfer-Encoding': ['chunked', 'gzip, chunked', 'identity', 'xchunked'],
  'Content-Length': ['0', '5', '-1', '1e3', '99999999999999999999', '5, 5'],
  TE: ['trailers'],
};
const field = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .constantFrom(...Object.keys(FIELDS))
      .chain((name) => fc.tuple(fc.constant(name), fc.constantFrom(...(FIELDS[name] ?? [])))),
  },
  fc.tuple(fc.string({ maxLength: 10 }), fc.string({ maxLength: 30 })),
);
export const fields = fc.oneof(
  { weight: 12, arbitrary: fc.constant([]) },
  { weight: 12, arbitrary: fc.array(field, { maxLength: 5 }) },
  fc.integer({ min: 200, max: 2500 }).map((count) => Array.from({ length: count }, (_, i) => [`x${i}`, ''])),
);

/** How a body is framed: the fields for that, and the bytes. */
export type Framing = (body: Buffer) => { fields: string[]; bytes: Buffer };

const sized: Framing = (bytes) => ({ fields: [`Content-Length: ${bytes.length}`], bytes });

function chunked(size: number, ending: string): Framing {
  return (bytes) => {
    const parts: (Buffer | string)[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const chunk = bytes.subarray(at, at + size);
      parts.push(`${chunk.length.toString(16)}${CRLF}`, chunk, CRLF);
    }
    return {
      fields: ['Transfer-Encoding: chunked'],
      bytes: Buffer.concat([...parts, ending].map((part) => Buffer.from(part))),
    };
  };
}

export const framing: fc.Arbitrary<Framing> = fc.oneof(
  { weight: 20, arbitrary: fc.constant(sized) },
  { weight: 4, arbitrary: fc.constantFrom(7, 100, 5000).map((size) => chunked(size, `0${CRLF}${CRLF}`)) },
  fc.constantFrom('0\r\nTrailer: x\r\n\r\n', '', 'zz\r\n', '0').map((ending) => chunked(50, ending)),
  fc.integer({ min: -20, max: 20 }).map((error): Framing => (bytes) => ({
    fields: [`Content-Length: ${Math.max(0, bytes.length + error)}`],
    bytes,
  })),
  fc.constant<Framing>((bytes) => ({ fields: [], bytes })),
);
