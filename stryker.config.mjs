import { rmSync } from 'node:fs';

const TEMPORARY = '.stryker-tmp';
// Stryker leaves its copy of the project when it is interrupted.
process.once('exit', () => rmSync(TEMPORARY, { recursive: true, force: true }));

/** npm run mutate: changes the pure parts of the service in one place at a time, and looks whether a unit spec fails. */
export default {
  mutate: [
    'src/{json,msgpack,http,store,throttling}/**/*.ts',
    'src/kv/patch/*.ts',
    'src/listing/cursor.ts',
    '!src/**/*.{spec,module,d}.ts',
    // What these do with sockets. Most of their mutants make an exchange hang until the time limit. They have specs
    // with real sockets, and end-to-end tests.
    '!src/http/connections/{connection,connections,discard-rest}.ts',
    '!src/http/bodies/{request-body,body-failure}.ts',
    // Options of Node's HTTP server, which end-to-end tests hold.
    '!src/http/fastify-options.ts',
  ],
  testRunner: 'vitest',
  vitest: { configFile: 'vitest.unit.config.ts' },
  coverageAnalysis: 'perTest',
  // Constants that are set when a module is loaded. Each of their mutants would be tried by all specs, which takes four
  // fifths of the time. Most are tables and texts, which have tests that compare them with the docs and with the store.
  ignoreStatic: true,
  concurrency: 2,
  timeoutMS: 10_000,
  reporters: ['clear-text', 'progress-append-only'],
  clearTextReporter: { allowEmojis: false, reportTests: false, reportScoreTable: true },
  ignorePatterns: ['/bench', '/data', '/deploy', '/dist', '/scripts', '/tarantool'],
  incremental: true,
  incrementalFile: 'node_modules/.cache/stryker.json',
  tempDirName: TEMPORARY,
  cleanTempDir: 'always',
};
