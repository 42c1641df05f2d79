import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The first files begin in fresh processes. */
class InOrder extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return [0, 1, 2].flatMap((rank) => sorted.filter(({ moduleId }) => rankOf(moduleId) === rank));
  }
}

function rankOf(file: string): number {
  // It listens to what libraries say once in the life of a process.
  if (file.endsWith('/test/http/oidc/metadata.test.ts')) return 0;
  // What drives a browser or starts processes takes longest, however short its file: no worker shall end alone with it.
  return /\/test\/(e2e|embedded|http\/(operations|jobs))\//.test(file) ? 1 : 2;
}

export default defineConfig({
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Processes, not threads: argon2 and the embedded database's programs are at home there.
    pool: 'forks',
    fileParallelism: true,
    maxWorkers: 2,
    // The product's modules are loaded once for each worker, not for each file: they keep no state of their own, and a file that
    // needs fresh ones starts a process. That is half of the suite's time.
    isolate: false,
    sequence: { sequencer: InOrder },
    testTimeout: 20_000,
    // Waiting for something to come true: a busy machine is no failure. Where time is the point, a test names its own.
    expect: { poll: { timeout: 5000 } },
    hookTimeout: 60_000,
  },
});
