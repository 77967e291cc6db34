import { execFileSync, spawnSync } from 'node:child_process';

/** The samples of a page in the text format of Prometheus, by name and labels as they stand there. */
export function samplesOf(page: string): Map<string, number> {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

/** The samples of one metric, by its labels. */
export function samplesNamed(page: string, name: string): Record<string, number> {
  const all = [...samplesOf(page)].filter(([sample]) => sample.startsWith(`${name}{`));
  return Object.fromEntries(all.map(([sample, value]) => [sample.slice(name.length), value]));
}

export const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

/** What `promtool` of Prometheus says. Throws where it finds a fault. */
export function promtool(args: readonly string[], input = ''): string {
  return execFileSync('promtool', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
}
