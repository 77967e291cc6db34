import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/*.spec.ts', 'test/**/*.e2e-spec.ts'],
    // Ends a test that hangs, and leaves time for a machine that has other work.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 50_000 } },
    // Each worker imports the application once. To import it for each file was a third of all the work.
    isolate: false,
    // By default Vitest leaves one core free.
    maxWorkers: 2,
  },
});
