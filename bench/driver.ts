// Puts a load on a contender: every virtual user repeats its operation, one after another, until the time is up.

export type Operation = () => Promise<unknown>;

export interface Load {
  measured: Operation[];
  /** Runs beside the measured users and is not counted. */
  background: Operation[];
}

export interface Run {
  seconds: number;
  latenciesMs: number[];
  failures: string[];
}

const failureLimit = 10;

export async function drive(load: Load, seconds: number): Promise<Run> {
  const run: Run = { seconds: 0, latenciesMs: [], failures: [] };
  const beside: Run = { seconds: 0, latenciesMs: [], failures: run.failures };
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  const background = load.background.map((operation) => repeat(operation, endAt, beside));
  await Promise.all(load.measured.map((operation) => repeat(operation, endAt, run)));
  run.seconds = (performance.now() - startedAt) / 1000;
  await Promise.all(background);
  if (run.failures.length > failureLimit) throw new Error(`too many operations failed, first: ${run.failures[0]}`);
  return run;
}

async function repeat(operation: Operation, endAt: number, run: Run): Promise<void> {
  while (performance.now() < endAt && run.failures.length <= failureLimit) {
    const startedAt = performance.now();
    try {
      await operation();
      run.latenciesMs.push(performance.now() - startedAt);
    } catch (error) {
      run.failures.push(error instanceof Error ? error.message : String(error));
    }
  }
}
