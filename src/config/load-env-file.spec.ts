import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ConfigError } from './config.errors.js';
import { loadEnvFile } from './load-env-file.js';

const folder = mkdtempSync(join(tmpdir(), 'kv-env-'));
const file = join(folder, '.env');
writeFileSync(file, 'PORT=5000\nWORKERS=\nLOG_LEVEL=warn # loud enough\n');
afterAll(() => rmSync(folder, { recursive: true }));

function load(path: string, variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  loadEnvFile(path, variables);
  return variables;
}

describe('the file of defaults', () => {
  it('sets what the environment does not', () => {
    expect(load(file, {})).toEqual({ PORT: '5000', WORKERS: '', LOG_LEVEL: 'warn' });
  });

  it('gives way to the environment', () => {
    expect(load(file, { PORT: '6000', WORKERS: '3' })).toEqual({
      PORT: '6000',
      WORKERS: '3',
      LOG_LEVEL: 'warn',
    });
  });

  it('is not hidden by a variable that is set to nothing', () => {
    expect(load(file, { PORT: '' })).toMatchObject({ PORT: '5000' });
  });

  it('may be missing', () => {
    expect(load(join(folder, 'none'), { PORT: '1' })).toEqual({ PORT: '1' });
  });

  it('is named when it cannot be read', () => {
    expect(() => load(folder, {})).toThrow(ConfigError);
    expect(() => load(folder, {})).toThrow(folder);
  });
});
