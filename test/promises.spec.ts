import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PAGES = /^docs\/[^/]+\.md$/;
const TESTS = /^(?:src|test)\/.*spec\.ts$|^tarantool\/test\/.*\.test\.lua$/;
const FILES = ['docs', 'src', 'test', 'tarantool/test'].flatMap((folder) =>
  readdirSync(`${ROOT}/${folder}`, { recursive: true, encoding: 'utf8' }).map((name) => `${folder}/${name}`),
);

const NAME = /^[a-z][a-z0-9-]*\.[a-z0-9][a-z0-9-]*$/;

interface Line {
  /** File and number, as an editor takes them. */
  readonly place: string;
  readonly text: string;
  readonly next: string;
}

const lines = (kind: RegExp): Line[] =>
  FILES.filter((file) => kind.test(file)).flatMap((file) => {
    const all = readFileSync(`${ROOT}/${file}`, 'utf8').split('\n');
    return all.map((text, i) => ({ place: `${file}:${i + 1}`, text, next: all[i + 1] ?? '' }));
  });

interface Mention {
  readonly name: string;
  readonly place: string;
}

/** A comment in the Markdown that a reader does not see: `<!-- area.what -->`, behind the sentence that it names. */
const promises: Mention[] = lines(PAGES).flatMap(({ place, text }) =>
  [...text.matchAll(/<!-- (\S+\.\S+) -->/g)].map(([, name = '']) => ({ name, place })),
);

const HOLDS = /^\s*(?:\/\/|--) Holds /;
const citations = lines(TESTS).filter(({ text }) => HOLDS.test(text));
const cited: Mention[] = citations.flatMap(({ place, text }) =>
  text
    .replace(HOLDS, '')
    .split(', ')
    .map((name) => ({ name: name.replace(/\.$/, ''), place })),
);

const saying = (mentions: Mention[]): string[] => mentions.map(({ name, place }) => `${name} (${place})`);

describe('the promises of the docs', () => {
  it('are all held by a test', () => {
    const held = new Set(cited.map(({ name }) => name));
    expect(promises.length).toBeGreaterThan(0);
    expect(saying(promises.filter(({ name }) => !held.has(name)))).toEqual([]);
  });

  it('are all that tests cite', () => {
    const made = new Set(promises.map(({ name }) => name));
    expect(saying(cited.filter(({ name }) => !made.has(name)))).toEqual([]);
  });

  it('have a name each: of an area and what is promised, behind the sentence and only there', () => {
    const names = promises.map(({ name }) => name);
    expect(saying(promises.filter(({ name }, i) => names.indexOf(name) !== i))).toEqual([]);
    expect(saying(promises.filter(({ name }) => !NAME.test(name)))).toEqual([]);
    // At the front of a line a comment would begin a block of HTML, and end the paragraph. Without a space before
    // the comment, Prettier leaves it at the end of its sentence.
    const atFront = lines(PAGES).filter(({ text }) => /^\s*<!-- \S+\.\S+ -->/.test(text));
    expect(atFront.map(({ place }) => place)).toEqual([]);
  });

  it('are cited right above a test, in a line that ends with a full stop', () => {
    const isTest = (text: string): boolean => /^\s*(?:(?:it|describe)\b|test:test\()/.test(text);
    const wrong = citations.filter(
      ({ text, next }) => !text.endsWith('.') || !(isTest(next) || HOLDS.test(next)),
    );
    expect(wrong.map(({ place }) => place)).toEqual([]);
  });
});
