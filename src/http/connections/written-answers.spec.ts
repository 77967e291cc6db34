import { describe, expect, it } from 'vitest';
import { ENDED_REQUESTS } from '../ended-requests.js';
import { WrittenAnswers } from './written-answers.js';

/** Without what differs each time. */
const masked = (text: string): string =>
  text.replace(/X-Request-Id: \S+/, 'X-Request-Id: id').replace(/Date: [^\r]+/, 'Date: now');

const fields = (bytes: number): string[] => [
  'Content-Type: application/json; charset=utf-8',
  `Content-Length: ${bytes}`,
  'X-Content-Type-Options: nosniff',
  'X-Request-Id: id',
  'Cache-Control: no-cache',
  'Date: now',
];
const FOR_PAGES = [
  'Access-Control-Allow-Origin: *',
  'Access-Control-Expose-Headers: Retry-After, X-Request-Id',
];
const LAST = ['Connection: close', ''];

describe('an answer that is written by hand', () => {
  it.each<[string, string[], string[]]>([
    ['without pages', [], []],
    ['where pages may read', ['http://a'], FOR_PAGES],
  ])('is whole, %s', (_how, origins, forPages) => {
    const body = '{"message":"malformed request","status":400}';
    expect(masked(new WrittenAnswers(origins).of('MALFORMED_REQUEST')).split('\r\n')).toEqual([
      'HTTP/1.1 400 Bad Request',
      ...fields(body.length),
      ...forPages,
      ...LAST,
      body,
    ]);
  });

  it('says when to come again where it is 503', () => {
    const body = '{"message":"service busy","status":503}';
    expect(masked(new WrittenAnswers([]).of('TOO_BUSY')).split('\r\n')).toEqual([
      'HTTP/1.1 503 Service Unavailable',
      ...fields(body.length),
      'Retry-After: 1',
      ...LAST,
      body,
    ]);
  });

  it('is told as an ended request', () => {
    const ended: unknown[] = [];
    const note = (request: unknown): void => void ended.push(request);
    ENDED_REQUESTS.subscribe(note);
    new WrittenAnswers([]).of('TOO_BUSY');
    ENDED_REQUESTS.unsubscribe(note);
    expect(ended).toStrictEqual([{ method: '', route: undefined, status: 503, seconds: undefined }]);
  });

  it('has an id and a time of its own', () => {
    const written = new WrittenAnswers([]);
    const [first, second] = [written.of('TOO_BUSY'), written.of('TOO_BUSY')];
    const id = /X-Request-Id: (\S+)/;
    expect(id.exec(first)?.[1]).not.toBe(id.exec(second)?.[1]);
    const date = Date.parse(/Date: (.+)/.exec(first)?.[1] ?? '');
    expect(Math.abs(Date.now() - date)).toBeLessThan(60_000);
  });
});
