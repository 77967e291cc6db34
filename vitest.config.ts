import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.spec.ts', 'test/*.spec.ts', 'test/**/*.e2e-spec.ts'],
    // What ends a hang, on a machine that has other work to do as well.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // By default one core is left free.
    maxWorkers: 2,
  },
});
