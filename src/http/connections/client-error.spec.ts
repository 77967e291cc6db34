import { describe, expect, it } from 'vitest';
import { isParserError, parserErrorCode } from './client-error.js';

const error = (code: string | undefined, more: object = {}): Error & { code?: string } =>
  Object.assign(new Error('text'), { code, ...more });
const method = (packet: string, bytesParsed?: number): object => ({
  rawPacket: Buffer.from(packet, 'latin1'),
  bytesParsed,
});

describe('an error of a connection', () => {
  it.each([
    ['HPE_INVALID_CONSTANT', true],
    ['ERR_HTTP_REQUEST_TIMEOUT', true],
    ['ECONNRESET', false],
    ['X_HPE_', false],
    [undefined, false],
  ])('with the code %s is by what the client sent: %j', (code, isParsers) => {
    expect(isParserError(error(code))).toBe(isParsers);
  });

  it.each([
    ['HPE_HEADER_OVERFLOW', 'HEADERS_TOO_LARGE'],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'BODY_TOO_LARGE'],
    ['HPE_INVALID_VERSION', 'VERSION_NOT_SUPPORTED'],
    ['HPE_PAUSED_H2_UPGRADE', 'VERSION_NOT_SUPPORTED'],
    ['ERR_HTTP_REQUEST_TIMEOUT', 'REQUEST_TIMEOUT'],
    ['HPE_INVALID_CONSTANT', 'MALFORMED_REQUEST'],
    [undefined, 'MALFORMED_REQUEST'],
  ])('with the code %s is answered %s', (code, answered) => {
    expect(parserErrorCode(error(code))).toBe(answered);
  });

  it.each([
    ['Transfer-Encoding header is not chunked', 'NOT_IMPLEMENTED'],
    [undefined, 'NOT_IMPLEMENTED'],
    ["Content-Length can't be present with Transfer-Encoding", 'MALFORMED_REQUEST'],
  ])('about a transfer coding, with the reason %j, is answered %s', (reason, answered) => {
    expect(parserErrorCode(error('HPE_INVALID_TRANSFER_ENCODING', { reason }))).toBe(answered);
  });

  it.each([
    ['an unknown method', method('BREW /pot HTTP/1.1', 0), 'NOT_IMPLEMENTED'],
    ['an unknown method, of which a part was read', method('PURGED /a', 5), 'NOT_IMPLEMENTED'],
    ['an unknown method that was read as a whole', method('BREW /pot', 4), 'NOT_IMPLEMENTED'],
    ['an unknown method behind a request', method('GET / HTTP/1.1\r\n\r\nBREW /a', 18), 'NOT_IMPLEMENTED'],
    ['a method of 64 bytes and more', method(`${'B'.repeat(64)} /`, 0), 'MALFORMED_REQUEST'],
    ['a method of 63 bytes', method(`${'B'.repeat(63)} /`, 0), 'NOT_IMPLEMENTED'],
    ['a method without a space', method('BREW', 0), 'MALFORMED_REQUEST'],
    ['what is no method', method('\x16\x03\x01 /', 0), 'MALFORMED_REQUEST'],
    ['a method with a wrong start', method('(BREW /', 1), 'NOT_IMPLEMENTED'],
    ['nothing', {}, 'MALFORMED_REQUEST'],
    ['a packet whose place is not known', method('BREW /'), 'NOT_IMPLEMENTED'],
  ])('about a method, for %s, is answered', (_name, more, answered) => {
    expect(parserErrorCode(error('HPE_INVALID_METHOD', more))).toBe(answered);
  });

  it('about something else is no unknown method, whatever the packet', () => {
    expect(parserErrorCode(error('HPE_INVALID_CONSTANT', method('BREW /pot', 0)))).toBe('MALFORMED_REQUEST');
  });
});
