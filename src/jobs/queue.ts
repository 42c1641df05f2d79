// The job queue on the same PostgreSQL. A job is enqueued in the transaction of the act that needs it, or not at all.
import { fromKnex, type Job, type JobResult, PgBoss } from 'pg-boss';
import type { z } from 'zod';
import { type Database, patiently } from '../db/knex.ts';
import type { Log } from '../lib/log.ts';
import type { JobQueue, Work } from '../work.ts';

export interface JobDefinition<P> {
  name: string;
  payload: z.ZodType<P>;
  /** May run more than once for the same payload. */
  handle(work: Work, payload: P): Promise<void>;
  retryLimit: number;
  /** First wait in seconds; doubles with each try. */
  retryDelay: number;
  concurrency: number;
}

export interface Jobs extends JobQueue {
  /** Makes the tables and queues; needed before anything is enqueued. */
  prepare(): Promise<void>;
  /** Begins to work. */
  run(workFor: (job: string) => Work): Promise<void>;
  /** A hint from another process that a queue has something to do. */
  wake(queue: string): void;
  stop(): Promise<void>;
}

/** What announces a job to the workers of all processes. */
export const jobAnnouncement = 'job:';

const deadLetters = 'dead-letters';

const lockKey = 7_304_812;

// Each job type is checked by its own schema when it is taken out, so the list may hold any of them.
// biome-ignore lint/suspicious/noExplicitAny: a heterogeneous list of generics
type AnyJob = JobDefinition<any>;

export function createJobs(db: Database, definitions: AnyJob[], options: { channel: string; log: Log }): Jobs {
  const boss = new PgBoss({ db: fromKnex(db), supervise: true, schedule: false, maintenanceIntervalSeconds: 300 });
  boss.on('error', (error) => options.log.warn({ err: error }, 'job queue error'));
  const workers = new Map<string, string>();
  let prepared: Promise<void> | null = null;
  let isStarted = false;

  async function prepare(): Promise<void> {
    await boss.start();
    isStarted = true;
    await boss.createQueue(deadLetters);
    for (const { name, retryLimit, retryDelay } of definitions) {
      const settings = {
        retryLimit,
        retryDelay,
        retryBackoff: true,
        retryDelayMax: 3600,
        deadLetter: deadLetters,
        deleteAfterSeconds: 86_400,
      };
      await boss.createQueue(name, settings);
      // The queue's settings are now in memory. Else the first jobs would fetch them on a second connection in the middle of
      // their transactions, and as many of them at once as the pool holds would wait for each other until they time out.
      await boss.getJobById(name, '00000000-0000-0000-0000-000000000000');
    }
  }

  return {
    prepare() {
      // One node at a time, as with migrations: of several that make the queue's tables at once, all but one fail.
      prepared ??= db.transaction(async (trx) => {
        await patiently(trx, async () => trx.raw('select pg_advisory_xact_lock(?)', [lockKey]));
        await prepare();
      });
      return prepared;
    },
    async enqueue(work, name, payload, { startAfter, priority } = {}) {
      await boss.send(name, payload, {
        db: fromKnex(work.store.db),
        ...(startAfter ? { startAfter } : {}),
        ...(priority ? { priority } : {}),
      });
      await work.store.db.raw('select pg_notify(?, ?)', [options.channel, `${jobAnnouncement}${name}`]);
    },
    async enqueueMany(work, name, payloads, settings = {}) {
      if (payloads.length === 0) return;
      const jobs = payloads.map((data) => ({ data, ...settings }));
      await boss.insert(name, jobs, { db: fromKnex(work.store.db) });
      await work.store.db.raw('select pg_notify(?, ?)', [options.channel, `${jobAnnouncement}${name}`]);
    },
    async run(workFor) {
      for (const definition of definitions) {
        const settings = {
          pollingIntervalSeconds: 5,
          batchSize: definition.concurrency,
          // As long as there is a crowd, go on: a wake comes once for many jobs, and the next look would be five seconds away (DOS-07).
          burstWhenBatchFull: true,
          // Each job of a batch succeeds or fails alone: one module that is down must not repeat the logouts of others.
          perJobResults: true,
        } as const;
        const id = await boss.work<object>(definition.name, settings, (jobs) =>
          Promise.all(jobs.map((job) => outcomeOf(definition, workFor(definition.name), job))),
        );
        workers.set(definition.name, id);
      }
    },
    wake(queue) {
      const id = workers.get(queue);
      if (id) boss.notifyWorker(id);
    },
    async stop() {
      if (isStarted) await boss.stop({ graceful: true, timeout: 5000 });
    },
  };
}

async function outcomeOf(definition: AnyJob, work: Work, job: Job<object>): Promise<JobResult> {
  try {
    await definition.handle(work, definition.payload.parse(job.data));
    return { id: job.id, status: 'completed' };
  } catch (error) {
    return { id: job.id, status: 'failed', output: { message: error instanceof Error ? error.message : 'failed' } };
  }
}
