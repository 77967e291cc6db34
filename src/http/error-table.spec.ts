import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { problem } from './envelope.js';
import { ERROR_TABLE } from './error-table.js';
import type { ErrorCode } from './error-table.js';

describe('the table of errors', () => {
  // Holds problem.codes.
  it('is the table of codes in docs/api.md, row by row: codes are for ever', () => {
    const page = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
    const section = page.slice(page.indexOf('### Problem details'));
    const documented = [...section.matchAll(/^\| `([a-z_]+)` +\| (\d{3}) +\| `([^`]+)` +\| (.+?) +\|$/gm)];
    const rows = Object.entries(ERROR_TABLE).map(([code, { status, message, detail }]) =>
      [code.toLowerCase(), String(status), message, detail].join(' | '),
    );
    expect(documented.map(([, ...cells]) => cells.join(' | ')).toSorted()).toEqual(rows.toSorted());
  });

  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])('%s makes problem details (RFC 9457 §3.1)', (error) => {
    const { status, message, detail } = ERROR_TABLE[error];
    const code = error.toLowerCase();
    const type = `urn:problem-type:tarantool-kv:${code}`;
    expect(JSON.parse(problem(error))).toEqual({ type, title: message, status, detail, code, message });
    expect(URL.canParse(type)).toBe(true);
  });
});
