import { defineConfig } from 'vitest/config';

/** Specs of one part, with spaces between them. Otherwise those of all parts that are mutated. */
const { MUTATE_SPECS = 'src/{http,json,kv,listing,msgpack,store,throttling}/**/*.spec.ts' } = process.env;

/** For mutation testing (stryker.config.mjs): only the specs of what is changed, and only those that take no time. */
export default defineConfig({
  test: {
    // Modules are loaded once, which is right as long as constants are not changed (stryker.config.mjs).
    isolate: false,
    include: MUTATE_SPECS.split(' '),
    // These run thousands of random documents, or very large ones, and would take seconds for each mutant. The other
    // specs hold the same by examples.
    exclude: ['src/json/{exact-json,large-documents}.spec.ts'],
    setupFiles: ['test/support/short-properties.ts'],
    testTimeout: 60_000,
  },
});
