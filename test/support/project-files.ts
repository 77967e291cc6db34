import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Folders that no author fills: packages, what is built, and data (.gitignore). */
const FOREIGN = new Set(['node_modules', '.git', 'dist', 'data', '.stryker-tmp']);

const BLOCK = /^\s*(?:\/\*\*?|\*)/;
const LINE: Readonly<Record<string, RegExp>> = {
  ts: /^\s*\/\/|\s\/\/\s/,
  mjs: /^\s*\/\/|\s\/\/\s/,
  lua: /--\s/,
};
const HASH = /^\s*#/;

export interface ProjectFile {
  /** From the project's root. */
  readonly path: string;
  readonly text: string;
  /** The prose: the whole of a Markdown page, or the comments of a program. Lines keep their numbers. */
  readonly prose: string;
  /** The program without its comments, and nothing of a page. */
  readonly code: string;
}

function walk(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (FOREIGN.has(entry.name)) return [];
    return entry.isDirectory() ? walk(path) : [path];
  });
}

function read(path: string): ProjectFile {
  const text = readFileSync(join(ROOT, path), 'utf8');
  const extension = /\.(\w+)$/.exec(path)?.[1] ?? '';
  if (extension === 'md') return { path, text, prose: text, code: '' };
  const mark = LINE[extension];
  const prose: string[] = [];
  const code: string[] = [];
  for (const line of text.split('\n')) {
    const at = mark && BLOCK.test(line) && extension !== 'lua' ? 0 : line.search(mark ?? HASH);
    prose.push(at < 0 ? '' : line.slice(at));
    code.push(at < 0 ? line : line.slice(0, at));
  }
  return { path, text, prose: prose.join('\n'), code: code.join('\n') };
}

export const PROJECT_PATHS: readonly string[] = walk('.');

/** Every file with text that somebody writes. */
export const PROJECT_FILES: readonly ProjectFile[] = PROJECT_PATHS.filter(
  (path) => !/\.(?:snap|xlog|svg|log|cpuprofile|tsbuildinfo)$|package-lock\.json$/.test(path),
).map(read);
