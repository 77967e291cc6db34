import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT_FILES, PROJECT_PATHS as paths } from './support/project-files.js';
import type { ProjectFile } from './support/project-files.js';

const MAX_FUNCTION_LINES = 70;

/** Names that comments and docs use, and that belong to other projects. */
const FOREIGN_PATHS = new Set([
  // Tarantool's sources, and unstorage's.
  'src/box/errcode.h',
  'src/box/iproto_constants.h',
  'test/drivers/utils.ts',
]);
const FOREIGN_NAMES = new Set([
  // Go, DynamoDB, Consul, etcd.
  'CrossOriginProtection',
  'http.CrossOriginProtection',
  'ConditionExpression',
  'ModifyIndex',
  'mod_revision',
  // Browsers.
  'EventSource',
  // The driver, Nest, nginx, Apache, HAProxy, Varnish.
  'pipeline()',
  'ValidationPipe',
  'forbidNonWhitelisted',
  'ConsoleLogger',
  '$http_host',
  'ProxyPass',
  'tune.bufsize',
  'proxy_read_timeout',
  'proxy_ignore_headers',
  'worker_connections',
  'first_byte_timeout',
]);
/** What docs/operations.md quotes of others: commands, fields of HTTP, settings, and what Tarantool says. */
const FOREIGN_TEXT = [
  /^(?:GET|[A-Z_]+=\S+|npm|ss|systemctl|tarantoolctl|truncate|ulimit) /,
  /^(?:[A-Z]\w+|enableServiceLinks): |^proxy_set_header /,
  /^(?:Failed to allocate … bytes in slab allocator for memtx_tuple|Failed to write to disk)$/,
  /^Incorrect password supplied$/,
];

const folders = new Set(
  paths.flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))),
);
const code = PROJECT_FILES.map((file) => file.code).join('\n');
const words = new Set(code.match(/[A-Za-z_$][\w$]*/g));

/** A page of what was true at its time is not looked at. */
const present = PROJECT_FILES.filter(({ path }) => path !== 'CHANGELOG.md');
const pages = present.filter(({ path }) => path.endsWith('.md'));
const withoutBlocks = (text: string): string => text.replace(/^```[^]*?^```/gm, '');

const exists = (path: string): boolean =>
  paths.includes(path) ||
  folders.has(path.replace(/\/$/, '')) ||
  paths.some((one) => one.endsWith(`/${path}`));

/** What a pattern finds in the prose of files and `isRight` does not know: `file: what`. */
function wrong(
  files: readonly ProjectFile[],
  pattern: RegExp,
  isRight: (found: string, file: ProjectFile) => boolean,
): string[] {
  return files.flatMap((file) =>
    [...file.prose.matchAll(pattern)]
      .map(([all, part = all]) => part)
      .filter((found) => !isRight(found, file))
      .map((found) => `${file.path}: ${found}`),
  );
}

describe('docs and comments', () => {
  it.each([
    /(?<![\w/.@:-])(?:src|test|tarantool|docs|scripts|bench|deploy|\.ci)\/[\w./-]*[\w/]/g,
    /(?<![\w/.@:<>*-])[\w.-]+(?:\/[\w.-]+)*\.(?:ts|mjs|lua|md|sh|yaml)\b/g,
  ])('name only files and folders that exist: %s', (pattern) => {
    expect(wrong(present, pattern, (path) => exists(path) || FOREIGN_PATHS.has(path))).toEqual([]);
  });

  it('name only commands that exist', () => {
    const { scripts } = JSON.parse(PROJECT_FILES.find(({ path }) => path === 'package.json')?.text ?? '') as {
      scripts: Record<string, string>;
    };
    expect(wrong(present, /npm run ([\w:-]*\w)/g, (name) => name in scripts)).toEqual([]);
  });

  it('run only tests that exist', () => {
    const tests = paths.filter((path) => /(?:spec\.ts|\.test\.lua)$/.test(path));
    const run = /npm (?:test|run test:store) -- ([a-z][\w -]*)/g;
    const known = (names: string): boolean =>
      names.split(' ').every((name) => tests.some((test) => test.includes(name)));
    expect(wrong(present, run, known)).toEqual([]);
  });

  it('link only to pages and headings that exist', () => {
    const slugs = (page: string): string[] =>
      [...(PROJECT_FILES.find(({ path }) => path === page)?.text ?? '').matchAll(/^#+ (.+)$/gm)].map(
        ([, heading = '']) =>
          heading
            .toLowerCase()
            .replace(/[^\w -]/g, '')
            .replaceAll(' ', '-'),
      );
    const isRight = (link: string, { path }: ProjectFile): boolean => {
      const [target = '', heading] = link.split('#');
      const page = target === '' ? path : posix.join(posix.dirname(path), target);
      return exists(page) && (heading === undefined || slugs(page).includes(heading));
    };
    expect(wrong(pages, /\]\((?!https?:)([^)\s]+)\)/g, isRight)).toEqual([]);
  });

  it('name only variables, functions and classes that the code has', () => {
    const files = present.map((file) => ({ ...file, prose: withoutBlocks(file.prose) }));
    const name = /`([A-Za-z_$][\w$]*(?:[.:][A-Za-z_$][\w$]*)*(?:\(\))?)`/g;
    const isRight = (found: string): boolean =>
      // Plain words are values of JSON, programs and the like.
      !/[a-z][A-Z]|_|\.|\(\)/.test(found) ||
      FOREIGN_NAMES.has(found) ||
      exists(found) ||
      found.match(/[\w$]+/g)?.every((word) => words.has(word) || words.has(word.toUpperCase())) === true;
    expect(wrong(files, name, isRight)).toEqual([]);
  });
});

describe('docs/operations.md', () => {
  const page = pages.find(({ path }) => path === 'docs/operations.md')?.text ?? '';
  const text = withoutBlocks(page).replace(/\s+/g, ' ');
  /** Placeholders of templates and of Lua's formats, as the docs write them. */
  const said = code.replaceAll(/\$\{[^}]*\}|%[sdqg]/g, '…');

  it('quotes only what the source says', () => {
    const quotes = [...text.matchAll(/`([^`]+)`/g)]
      .map(([, quote = '']) => quote)
      .filter((quote) => quote.includes(' '));
    const missing = quotes
      .filter((quote) => !FOREIGN_TEXT.some((pattern) => pattern.test(quote)))
      // An address, a number, and what the system says.
      .filter((quote) => !said.includes(quote.replace(/\d[\d.:]*\d|\d|address already in use/g, '…')));
    expect(quotes.length).toBeGreaterThan(20);
    expect(missing).toEqual([]);
  });

  it('shows only log lines that the source writes', () => {
    const lines = [...page.matchAll(/^```json\n([^]*?)^```/gm)].map(
      ([, json = '']) => JSON.parse(json) as Record<string, unknown>,
    );
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.map(({ msg }) => msg).filter((msg) => !code.includes(`'${String(msg)}'`))).toEqual([]);
    // Pino writes these three.
    const names = lines.flatMap(Object.keys).filter((name) => !['level', 'time', 'msg'].includes(name));
    expect(names.filter((name) => !words.has(name))).toEqual([]);
  });

  it('gives only sizes in KiB that a constant has', () => {
    const sizes = [...text.matchAll(/(\d+) KiB/g)].map(([, size = '']) => size);
    const service = PROJECT_FILES.filter(({ path }) => /^(?:src|tarantool\/kv)\b(?!.*\.spec\.ts$)/.test(path))
      .map((file) => file.code)
      .join('\n');
    // Measured: the memory of a connection.
    const isConstant = (size: string): boolean =>
      new RegExp(`KIB_OF_A_\\w+ = ${size};`).test(code) ||
      new RegExp(`\\b${size} \\* 1024\\b(?! \\*)`).test(service);
    expect(sizes.filter((size) => !isConstant(size))).toEqual([]);
  });
});

describe('the code', () => {
  it('names a stored function only where it is called, in a repository or in what stands for one', () => {
    const callers = PROJECT_FILES.filter(({ path, code: text }) => {
      return /^src\/.*(?<!\.spec)\.ts$/.test(path) && /'(?:kv|throttle|health)\.[a-z]+'/.test(text);
    });
    expect(callers.map(({ path }) => path).filter((path) => !path.endsWith('.repository.ts'))).toEqual([
      'src/health/health.service.ts',
      'src/tarantool/store-proof.ts',
      'src/throttling/tarantool-throttler.storage.ts',
    ]);
  });

  it('has no note of what is still to be done, in any language', () => {
    const note = /\b(?:TODO|FIXME|XXX|HACK)\b/g;
    expect(wrong(present, note, () => false)).toEqual([]);
  });

  // Lint bounds the other functions.
  it(`has no function of more than ${MAX_FUNCTION_LINES} lines in tests and in Lua`, () => {
    const long = PROJECT_FILES.filter(({ path }) => /spec\.m?[jt]s$|^tarantool\/kv.*\.lua$/.test(path))
      .flatMap(functionsOf)
      .filter(({ lines }) => lines > MAX_FUNCTION_LINES);
    expect(long).toEqual([]);
  });
});

interface Length {
  readonly place: string;
  readonly lines: number;
}

/**
 * All functions but what `describe` holds, which is a list of tests. The formatter sees to it that a function ends at
 * the first line that is indented as the line where it begins.
 */
function functionsOf({ path, text }: ProjectFile): Length[] {
  const [begin, end] = path.endsWith('.lua')
    ? [/^( *)(?!--).*\bfunction\b(?!.*\bend\b)/, 'end']
    : [/^( *)(?!\/?\*|\/\/).*(?:=>|\bfunction\b.*) \{$/, '}'];
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const indent = begin.exec(line)?.[1];
    if (indent === undefined) return [];
    const statement = lines.slice(0, at + 1).findLast((other) => /^\w/.test(other.slice(indent.length)));
    if (/^ *describe\b/.test(statement ?? '')) return [];
    const length = lines.slice(at).findIndex((other) => other.startsWith(indent + end));
    return [{ place: `${path}:${at + 1}`, lines: length + 1 }];
  });
}
