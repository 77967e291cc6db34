import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/*.spec.ts', 'test/**/*.e2e-spec.ts'],
    // Ends a test that hangs, and leaves time for a machine that has other work.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // By default Vitest leaves one core free.
    maxWorkers: 2,
  },
});
