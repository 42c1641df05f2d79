import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Processes, not threads: argon2 and the embedded database's programs are at home there.
    pool: 'forks',
    fileParallelism: true,
    maxWorkers: 2,
    testTimeout: 20_000,
    // Waiting for something to come true: a busy machine is no failure. Where time is the point, a test names its own.
    expect: { poll: { timeout: 5000 } },
    hookTimeout: 60_000,
  },
});
