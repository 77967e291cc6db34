import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { FLOORS } = (await import(new URL('../oxlint.config.mjs', import.meta.url).href)) as {
  FLOORS: readonly (readonly string[])[];
};
const UNITS = FLOORS.flat();

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** The text of a section of docs/architecture.md, up to the next heading of the same level. */
function section(heading: string): string {
  const [, text = ''] = read('docs/architecture.md').split(`\n## ${heading}\n`);
  return text.split('\n## ')[0] ?? '';
}

const picture = (text: string): string[] => (/^```\n([^]*?)\n```$/m.exec(text)?.[1] ?? '').split('\n');

/** The files of the project that a file imports or requires. */
function imports(file: string): string[] {
  const text = read(file);
  if (file.endsWith('.lua')) {
    return [...text.matchAll(/require\('(kv\.\w+)'\)/g)].map(
      ([, name = '']) => `tarantool/${name.replace('.', '/')}.lua`,
    );
  }
  return [...text.matchAll(/(?:\bfrom|\bimport|\bimport\() ?'(\.[^']+)'/g)].map(([, name = '']) =>
    join(dirname(file), name).replace(/\.js$/, '.ts'),
  );
}

/** `src/kv/patch/patch.ts` belongs to `kv`, and `src/main.ts` to `main`. */
const unitOf = (file: string): string => file.replace(/^src\/([^/]+).*$/, '$1').replace(/\.ts$/, '');

const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/\.(?:spec|d)\.ts$/.test(name))
  .map((name) => join('src', name));

describe('the floors in docs/architecture.md', () => {
  it('are those that lint holds, with every unit of src', () => {
    const drawn = picture(section('Floors'));
    expect(drawn).toEqual(
      FLOORS.map((units) => units.join('   '))
        .flatMap((floor) => [' ↓', floor])
        .slice(1),
    );
    expect([...new Set(sources.map(unitOf))].toSorted()).toEqual(UNITS.toSorted());
  });

  it('have a table of all imports between units', () => {
    const rows = [...section('Floors').matchAll(/^\| `(\S+)`\s+\| (.+?)\s+\|$/gm)];
    const listed = rows.map(([, unit = '', cell = '']) => [unit, cell.replaceAll('`', '')]);
    const real = UNITS.map((unit) => {
      const others = new Set(
        sources
          .filter((file) => unitOf(file) === unit)
          .flatMap(imports)
          .map(unitOf),
      );
      return [unit, UNITS.filter((other) => other !== unit && others.has(other)).join(', ') || 'nothing'];
    });
    expect(listed).toEqual(real);
    const floorOf = (name = ''): number => FLOORS.findIndex((units) => units.includes(name));
    const upward = real.filter(
      ([unit, all = '']) =>
        all !== 'nothing' && all.split(', ').some((other) => floorOf(other) <= floorOf(unit)),
    );
    expect(upward).toEqual([]);
  });
});

describe('the picture of a request in docs/architecture.md', () => {
  const ARROW = /^( *)(?:→ )?((?:src|tarantool)\/\S+)(?: |$)/;

  it('has an arrow only where the upper file imports the lower one', () => {
    const above: string[] = [];
    const arrows = picture(section('The way of a request')).flatMap((line) => {
      const [, indent = '', file = ''] = ARROW.exec(line) ?? [];
      if (file === '') return line === '' ? [] : [{ line, isImport: false }];
      // A step to the right is an arrow and the two spaces around it.
      const depth = Math.ceil(indent.length / 3);
      above.length = depth;
      const parent = above[depth - 1];
      above.push(file);
      const isImport = parent === undefined ? depth === 0 : imports(parent).includes(file);
      return [{ line, isImport: isImport && existsSync(join(ROOT, file)) }];
    });
    expect(arrows.length).toBeGreaterThan(20);
    expect(arrows.filter(({ isImport }) => !isImport).map(({ line }) => line)).toEqual([]);
  });
});
