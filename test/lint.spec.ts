import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OXLINT = join(ROOT, 'node_modules/.bin/oxlint');

const imports = (...paths: string[]): string => paths.map((path) => `import '${path}';\n`).join('');

/** Each file breaks one rule, and lies where the rule has to hold. Targets of imports lie there too. */
const PLANTED: readonly (readonly [file: string, text: string, rule: string])[] = [
  ['src/json/circle.ts', imports('./back.js'), 'import(no-cycle)'],
  ['src/json/back.ts', imports('./circle.js'), 'import(no-cycle)'],
  ['src/json/circle-of-types.ts', `export type { X } from './types-back.js';\n`, 'import(no-cycle)'],
  ['src/json/types-back.ts', `export type { X } from './circle-of-types.js';\n`, 'import(no-cycle)'],
  ['src/json/upward.ts', imports('../kv/kv.module.js'), 'eslint(no-restricted-imports)'],
  ['src/kv/patch/upward.ts', imports('../../batch/x.js'), 'eslint(no-restricted-imports)'],
  ['src/store/upward.ts', `export type { X } from '../kv/x.js';\n`, 'eslint(no-restricted-imports)'],
  ['src/app.module.ts', imports('./main.js'), 'eslint(no-restricted-imports)'],
  ['src/http/upward.ts', imports('../app.module.js'), 'eslint(no-restricted-imports)'],
  ['src/listing/beside.ts', imports('../batch/x.js'), 'eslint(no-restricted-imports)'],
  ['src/kv/kv.service.ts', imports('../http/envelope.js'), 'eslint(no-restricted-imports)'],
  ['src/kv/x.repository.ts', imports('../http/envelope.js'), 'eslint(no-restricted-imports)'],
  ['src/health/x.service.ts', imports('fastify'), 'eslint(no-restricted-imports)'],
  ['src/listing/x.repository.ts', NEST('BadRequestException'), 'eslint(no-restricted-imports)'],
  ['src/entries/x.ts', NEST('HttpStatus'), 'eslint(no-restricted-imports)'],
  ['src/store/x.ts', imports('fastify'), 'eslint(no-restricted-imports)'],
  ['src/http/x.errors.ts', imports('./y.errors.js'), 'eslint(no-restricted-imports)'],
  ['src/store/driver.ts', imports('tarantool-driver'), 'eslint(no-restricted-imports)'],
  ['src/kv/environment.ts', 'export const home = process.env.HOME;\n', 'node(no-process-env)'],
];

const ALLOWED: readonly (readonly [file: string, text: string])[] = [
  ['src/kv/downward.ts', imports('../http/envelope.js', '../entries/entry.js', './patch/x.js')],
  ['src/listing/y.repository.ts', `import { Injectable } from '@nestjs/common';\nexport { Injectable };\n`],
  ['src/create-app.ts', imports('./app.module.js', './http/envelope.js')],
  ['src/http/y.errors.ts', imports('../entries/refusal.errors.js')],
  ['src/config/environment.ts', 'export const home = process.env.HOME;\n'],
];

function NEST(name: string): string {
  return `import { ${name} } from '@nestjs/common';\nexport { ${name} };\n`;
}

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
}

describe('npm run lint', () => {
  let folder: string;
  let found: Diagnostic[];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kv-lint-'));
    await copyFile(join(ROOT, 'oxlint.config.mjs'), join(folder, 'oxlint.config.mjs'));
    for (const [file, text] of [...PLANTED, ...ALLOWED]) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    const output = await new Promise<string>((resolve) => {
      execFile(
        OXLINT,
        ['--config', 'oxlint.config.mjs', '--format', 'json', 'src'],
        { cwd: folder },
        (_, stdout) => resolve(stdout),
      );
    });
    ({ diagnostics: found } = JSON.parse(output) as { diagnostics: Diagnostic[] });
  });

  afterAll(() => rm(folder, { recursive: true }));

  it.each(PLANTED)('refuses %s', (file, _, rule) => {
    const rules = found.filter(({ filename }) => filename === file).map(({ code }) => code);
    expect([...new Set(rules)]).toEqual([rule]);
  });

  it.each(ALLOWED)('allows %s', (file) => {
    expect(found.filter(({ filename }) => filename === file)).toEqual([]);
  });
});
