import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['*.spec.mjs'],
    globalSetup: ['./service.mjs'],
    // One store for all: each suite clears what it meets.
    fileParallelism: false,
    testTimeout: 60_000,
  },
});
