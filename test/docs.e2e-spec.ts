import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseEnv, promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config/load-config.js';
import { type Block, consoleBlocks, masked, withoutOrdinaryFields } from './support/console-blocks.js';
import { startInstance, startTestApp } from './support/test-app.js';
import type { TestApp } from './support/test-app.js';

const PAGES = ['README.md', 'docs/api.md', 'docs/recipes.md'];
const DEFAULTS = { THROTTLE_LIMIT: '', ALLOWED_HOSTS: '' };

const run = promisify(execFile);
const textOf = (page: string) => readFileSync(fileURLToPath(new URL(`../${page}`, import.meta.url)), 'utf8');

const canRun = spawnSync('sh', ['-c', 'command -v jq && curl --help all | grep -e --json']).status === 0;
if (!canRun) console.log('skipped: there is no curl 7.82 or newer, or no jq, on PATH');

describe.runIf(canRun).each(PAGES)('a fresh store answers as the console blocks of %s', (page) => {
  let service: TestApp;
  let cursor = '';
  beforeAll(async () => {
    service = await startTestApp(DEFAULTS);
  });
  afterAll(() => service.stop());

  /** @returns what the commands of the block print, for what the page says that they print. */
  async function replay({ commands, line: number }: Block, port: string): Promise<string[]> {
    const printed: string[] = [];
    for (const { command, output } of commands) {
      const line = command
        .replaceAll('localhost:5000', `127.0.0.1:${port}`)
        .replaceAll('cursor=…', `cursor=${cursor}`);
      // From an address of its own, so that no other block has used up its rate.
      const curl = `curl() { command curl --interface 127.0.${number >> 8}.${number & 255} "$@"; }`;
      const { stdout } = await run('bash', ['-c', `${curl}; ${line}`]);
      cursor = /"next_cursor":"([^"]+)"/.exec(stdout)?.[1] ?? cursor;
      printed.push(masked(withoutOrdinaryFields(stdout, output), output));
    }
    return printed;
  }

  it.each(consoleBlocks(textOf(page)))('from line $line on', async (block) => {
    const own = {
      ...loadConfig({ HOST: '127.0.0.1', ...parseEnv(block.settings) }),
      tarantool: service.config.tarantool,
    };
    const app = block.settings === '' ? service.app : await startInstance(own);
    const { port } = new URL(await app.getUrl());
    try {
      const printed = await replay(block, port);
      expect(printed).toEqual(block.commands.map(({ output }) => masked(output)));
    } finally {
      if (app !== service.app) await app.close();
    }
  });
});
