import { milliseconds, rate, times } from './format.mjs';
import { ratio, summary } from './statistics.mjs';

const WIDTH = 860;
const MARGIN = 24;
const LABEL = 170;
const NUMBER = 190;
const BAR = WIDTH - 2 * MARGIN - LABEL - NUMBER;
const ROW = 20;
const THICKNESS = 12;
const TITLE = 28;
const GAP = 14;
const HEADER = 58;

/** Not every viewer of SVG supports CSS variables, so none are used. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; }
  .heading { font-size: 18px; font-weight: 600; }
  .title { font-weight: 600; }
  ${colours({ ground: '#ffffff', text: '#1f2328', quiet: '#59636e', bar: '#8c959f', kv: '#0969da' })}
  @media (prefers-color-scheme: dark) {
  ${colours({ ground: '#0d1117', text: '#f0f6fc', quiet: '#9198a1', bar: '#656c76', kv: '#4493f8' })}
  }`;

function colours({ ground, text, quiet, bar, kv }) {
  return [
    `.ground { fill: ${ground}; }`,
    `text { fill: ${text}; }`,
    `.quiet { fill: ${quiet}; }`,
    `.bar { fill: ${bar}; }`,
    `.kv { fill: ${kv}; }`,
    `.range { stroke: ${text}; stroke-width: 1.5; }`,
  ].join('\n  ');
}

/**
 * Bars for all results that have rows: rates, and p99 where latencies were measured. Each group has its own scale.
 */
export function chartOf(results, { caption }) {
  let y = HEADER;
  const groups = results.filter((result) => result.rows).map(group);
  const height = y + MARGIN - GAP;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="Measured performance">
<style>${STYLE}
</style>
<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>
<text class="heading" x="${MARGIN}" y="30">Requests per second, and latencies</text>
<text class="quiet" x="${MARGIN}" y="49">${escape(caption)}</text>
${groups.join('\n')}
</svg>
`;

  function group({ workload, rows }) {
    const isLatency = workload.kind === 'latency';
    const title = isLatency ? `Latency p99: ${workload.title} (less is better)` : workload.title;
    const values = rows.map((row) => summary(isLatency ? row.p99 : row.rates));
    const scale = BAR / Math.max(...values.map(({ max }) => max));
    const lines = [`<text class="title" x="${MARGIN}" y="${y + 16}">${escape(title)}</text>`];
    y += TITLE;
    for (const [i, { contestant }] of rows.entries()) {
      const share = ratio(...[rows[i], rows[0]].map((row) => (isLatency ? row.p99 : row.rates))).median;
      const shown = isLatency ? `${milliseconds(values[i].median)} ms` : `${rate(values[i].median)}/s`;
      lines.push(...bar(contestant.name, values[i], scale, `${shown}${i > 0 ? ` · ${times(share)} ×` : ''}`));
      y += ROW;
    }
    y += GAP;
    return lines.join('\n');
  }

  function bar(name, { median, min, max }, scale, shown) {
    const left = MARGIN + LABEL;
    const middle = y + ROW / 2;
    const x = (value) => (left + value * scale).toFixed(1);
    const width = Math.max(1, median * scale).toFixed(1);
    return [
      `<text x="${left - 8}" y="${middle + 4}" text-anchor="end">${escape(name)}</text>`,
      `<rect class="${name.startsWith('kv') ? 'kv' : 'bar'}" x="${left}" y="${middle - THICKNESS / 2}" width="${width}" height="${THICKNESS}" rx="2"/>`,
      `<line class="range" x1="${x(min)}" x2="${x(max)}" y1="${middle}" y2="${middle}"/>`,
      `<text class="quiet" x="${left + BAR + 12}" y="${middle + 4}">${escape(shown)}</text>`,
    ];
  }
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
