import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DEFINITIONS } from '../src/metrics/definitions.js';

const PAGE = readFileSync(new URL('../docs/api.md', import.meta.url), 'utf8');
const [, SECTION = ''] = PAGE.split('\n## Metrics\n');

describe('the table of metrics', () => {
  it('has what the code has: names, types, labels and meanings', () => {
    const rows = [...SECTION.matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) *\| (.+?) +\|$/gm)];
    const told = rows.map(([, name, type, labels = '', help]) => ({
      name,
      type,
      labels: labels.match(/\w+/g) ?? [],
      help,
    }));
    const defined = Object.entries(DEFINITIONS).map(([name, { type, labels, help }]) => ({
      name,
      type,
      labels: [...labels],
      help,
    }));
    expect(told).toEqual(defined);
  });
});
